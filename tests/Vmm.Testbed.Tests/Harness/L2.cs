using System.Globalization;

namespace Vmm.Testbed.Tests.Harness;

/// <summary>A guest in L1: Debian's kernel, with a busybox that obeys on the console.</summary>
public sealed class L2 : IDisposable
{
    private static readonly TimeSpan _bootLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _defaultLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _endLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(20);
    // For the agent and the scripts around what has a limit of its own.
    private static readonly TimeSpan _margin = TimeSpan.FromSeconds(20);

    // docs/exit-codes.md
    private const int TripleFault = 101;

    private readonly L1 _machine;
    private readonly Hypervisor _hypervisor;
    private bool _ended;

    /// <summary>Boots it.</summary>
    public L2(L1 machine, Hypervisor hypervisor, L2Options options, string name = "guest")
    {
        _machine = machine;
        Name = name;
        _hypervisor = hypervisor;
        machine.Guests.Add(this);
        string command = $"l2 start {name} {(hypervisor == Hypervisor.Vmm ? "vmm" : "qemu")} {options} --wait {_bootLimit.TotalSeconds}";
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
            _machine.Run($"l2 kill {Name}");
        }
    }

    /// <summary>What can be seen of a guest that runs and does not answer, or has crashed without a word; null otherwise.</summary>
    internal string? DescribeFailure()
    {
        JobResult answer = Run("true", _patience);
        string end = string.Join('\n', Console.Split('\n').TakeLast(5));
        if (answer.ExitCode == 124)
        {
            string cpus = _hypervisor == Hypervisor.Vmm ? _machine.Run($"timeout 10 \"$VMM_BINARY\" qmp {Name} x-inspect section=cpu | grep -E '\"(rip|rsp|rflags)\"'").Output : "";
            return $"a guest of {_hypervisor} stands still\n{end}\n{cpus}";
        }

        // QEMU does not say why it has reset its guest.
        bool hasCrashed = _hypervisor == Hypervisor.Vmm
            ? answer.Error.Contains($"has ended with {TripleFault}", StringComparison.Ordinal)
            : !_ended && answer.Error.Contains("has ended with 0", StringComparison.Ordinal);
        return hasCrashed ? $"a guest of {_hypervisor} ended in a triple fault\n{end}" : null;
    }

    private static string Quoted(string text) => $"'{text.Replace("'", @"'\''", StringComparison.Ordinal)}'";
}
