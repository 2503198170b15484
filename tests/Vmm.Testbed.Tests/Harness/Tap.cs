namespace Vmm.Testbed.Tests.Harness;

/// <summary>A TAP interface in L1, which goes with the test. L1 is <see cref="Host"/> on it, the guest <see cref="Guest"/>.</summary>
public sealed class Tap : IDisposable
{
    public const string Host = "10.0.0.1";
    public const string Guest = "10.0.0.2";

    private readonly L1 _machine;

    public Tap(L1 machine, string name = "tap0")
    {
        _machine = machine;
        Name = name;
        machine.Require($"l2 tap {name} {Host}/24");
    }

    public string Name { get; }

    public void Dispose() => _machine.PutAway($"ip link delete {Name}");
}
