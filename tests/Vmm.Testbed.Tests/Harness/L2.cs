using System.Globalization;

namespace Vmm.Testbed.Tests.Harness;

/// <summary>A guest in L1: Debian's kernel, with a busybox that obeys on the console.</summary>
public sealed class L2 : IDisposable
{
    private static readonly TimeSpan _bootLimit = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan _defaultLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _endLimit = TimeSpan.FromSeconds(30);
    // For the agent and the scripts around what has a limit of its own.
    private static readonly TimeSpan _margin = TimeSpan.FromSeconds(20);

    private readonly L1 _machine;
    private bool _ended;

    /// <summary>Boots it.</summary>
    public L2(L1 machine, Hypervisor hypervisor, L2Options options)
    {
        _machine = machine;
        Name = machine.NameGuest();
        machine.Guests.Add(this);
        // At that level vmm says how the guest ended.
        string program = hypervisor == Hypervisor.Vmm ? "vmm" : "qemu";
        string command = $"l2 start {Name} {program} {options} --wait {_bootLimit.TotalSeconds}{(hypervisor == Hypervisor.Vmm ? " -- --log-level info" : "")}";
        string[] words = machine.Require(command, _bootLimit + _margin).Trim().Split(' ');
        TimeToInit = double.Parse(words[0], CultureInfo.InvariantCulture);
        Uptime = double.Parse(words[1], CultureInfo.InvariantCulture);
        Release = words[2];
        Cpus = int.Parse(words[3], CultureInfo.InvariantCulture);
    }

    public string Name { get; }

    /// <summary>Seconds on L1's clock from the start of the hypervisor's process to the guest's init.</summary>
    public double TimeToInit { get; }

    /// <summary>Seconds on the guest's own clock then.</summary>
    public double Uptime { get; }

    /// <summary>The kernel's release.</summary>
    public string Release { get; }

    public int Cpus { get; }

    public string Console => _machine.ConsoleOf(Name);

    /// <summary>Runs a shell command of one line in the guest; what it prints is <see cref="JobResult.Output"/>.</summary>
    public JobResult Run(string command, TimeSpan? limit = null)
    {
        TimeSpan time = limit ?? _defaultLimit;
        return _machine.Run($"l2 run {Name} {time.TotalSeconds:0} {Quoted(command)}", time + _margin);
    }

    /// <summary>Runs a command that has to succeed, and returns what it prints.</summary>
    public string Require(string command, TimeSpan? limit = null) => Run(command, limit).Require(command);

    /// <summary>Gives the guest a command that ends it.</summary>
    /// <returns>The exit code of the hypervisor's process, and what it wrote.</returns>
    public JobResult End(string command)
    {
        JobResult last = Run(command);
        last.ExitCode.Should().Be(125, last.Output + last.Error);
        return WaitForEnd();
    }

    /// <returns>The exit code of the hypervisor's process, and what it wrote.</returns>
    public JobResult WaitForEnd()
    {
        JobResult result = _machine.Run($"l2 end {Name} {_endLimit.TotalSeconds}", _endLimit + _margin);
        _ended = result.ExitCode != 124;
        return result;
    }

    public void Dispose()
    {
        _machine.Guests.Remove(this);
        if (!_ended)
        {
            _machine.PutAway($"l2 kill {Name}");
        }
    }

    private static string Quoted(string text) => $"'{text.Replace("'", @"'\''", StringComparison.Ordinal)}'";
}
