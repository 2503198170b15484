using System.Diagnostics;
using System.Globalization;

namespace Vmm.Perf.Compare;

/// <summary>
/// <c>compare-qemu</c>: boots the same demo guest in turn in vmm and in QEMU, on the same TAP, and prints medians and the median of the
/// ratios of neighbouring runs. With <c>--baseline</c> another build of vmm takes QEMU's place. It expects a network namespace of its own; the script of the same name makes one.
/// </summary>
internal sealed class CompareCommand
{
    private const string Usage = "Usage: perf/compare-qemu [--runs N] [--milliseconds N] [--vmm FILE] [--qemu FILE] [--only vmm|qemu] [--baseline FILE]";

    private int _runs = 15;
    private int _milliseconds = 400;
    private string _vmm = "vmm";
    private string _qemu = "qemu-system-x86_64";
    private string? _only;
    private string? _baseline;

    public static int Execute(ReadOnlySpan<string> arguments)
    {
        CompareCommand command = new();
        if (!CommandOptions.TryRead(arguments, command.TrySet, Usage))
        {
            return 2;
        }

        string kernel = Path.Combine(Path.GetTempPath(), $"compare-{Environment.ProcessId}.elf");
        try
        {
            HostTool.Run(command._vmm, "demo-guest", "--output", kernel);
            command.SetUpNetwork();
            command.RunAll(
                Contender.Vmm("vmm", command._vmm, kernel),
                command._baseline is { } baseline ? Contender.Vmm("baseline", baseline, kernel) : Contender.Qemu(HostTool.NameOfQemu(command._qemu), command._qemu, kernel));
            return 0;
        }
        finally
        {
            File.Delete(kernel);
        }
    }

    private bool TrySet(string name, string value)
    {
        switch (name)
        {
            case "--runs":
                return int.TryParse(value, CultureInfo.InvariantCulture, out _runs) && _runs > 0;
            case "--milliseconds":
                return int.TryParse(value, CultureInfo.InvariantCulture, out _milliseconds) && _milliseconds > 0;
            case "--vmm":
                _vmm = value;
                return true;
            case "--qemu":
                _qemu = value;
                return true;
            case "--baseline":
                _baseline = value;
                return true;
            case "--only":
                _only = value;
                return value is "vmm" or "qemu";
            default:
                return false;
        }
    }

    /// <summary>One TAP for both, made beforehand with the header that both negotiate; the guest's address needs no ARP.</summary>
    private void SetUpNetwork()
    {
        HostTool.Run("ip", "link", "set", "lo", "up");
        HostTool.Run("ip", "tuntap", "add", "dev", Contender.Tap, "mode", "tap", "vnet_hdr");
        HostTool.Run("ip", "address", "add", $"{Contender.HostAddress}/24", "dev", Contender.Tap);
        HostTool.Run("ip", "link", "set", Contender.Tap, "up");
        HostTool.Run("ip", "neighbor", "add", Contender.GuestAddress, "lladdr", Contender.GuestMac, "dev", Contender.Tap, "nud", "permanent");
    }

    private void RunAll(Contender vmm, Contender other)
    {
        Console.Error.WriteLine($"A: {vmm.CommandText}");
        Console.Error.WriteLine($"B: {other.CommandText}");
        List<Measurement> ours = [];
        List<Measurement> theirs = [];
        int lost = 0;
        long start = Stopwatch.GetTimestamp();
        for (int run = -1; run < _runs; run++)
        {
            // Run -1 warms the page cache; then A B, B A, A B, ... so that a drift of the machine hits both alike.
            bool oursFirst = run % 2 == 0;
            foreach (bool isOurs in (bool[])[oursFirst, !oursFirst])
            {
                if (_only is not null && (_only == "vmm") != isOurs)
                {
                    continue;
                }

                Run one = new(isOurs ? vmm : other, TimeSpan.FromMilliseconds(_milliseconds));
                Measurement result = one.Measure();
                if (run >= 0)
                {
                    lost += one.Lost;
                    (isOurs ? ours : theirs).Add(result);
                }

                Console.Error.WriteLine($"run {run} {(isOurs ? vmm : other).Name}: {result}");
            }
        }

        Console.Error.WriteLine($"{Stopwatch.GetElapsedTime(start).TotalSeconds:F0} s, {lost} messages lost");
        ComparisonTable.Write(Console.Out, ours, theirs, other.Name);
    }
}
