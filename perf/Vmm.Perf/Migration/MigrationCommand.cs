using System.Diagnostics;
using System.Globalization;
using Vmm.Perf.Compare;

namespace Vmm.Perf.Migration;

/// <summary>
/// <c>compare-qemu-migration</c>: the same guest goes to a new process by vmm's live update and by QEMU's local migration, in turn, and says itself
/// how long it was away. It expects a network namespace of its own; the script of the same name makes one.
/// </summary>
internal sealed class MigrationCommand
{
    private const string Usage = "Usage: perf/compare-qemu-migration [--runs N] [--memory SIZE] [--writes SIZE] [--vmm FILE] [--qemu FILE]";

    private int _runs = 30;
    private string _memory = "128M";
    private string _writes = "32M";
    private string _vmm = "vmm";
    private string _qemu = "qemu-system-x86_64";

    public static int Execute(ReadOnlySpan<string> arguments)
    {
        MigrationCommand command = new();
        if (!CommandOptions.TryRead(arguments, command.TrySet, Usage))
        {
            return 2;
        }

        DirectoryInfo folder = Directory.CreateTempSubdirectory("compare-");
        try
        {
            string kernel = Path.Combine(folder.FullName, "guest.elf");
            HostTool.Run(command._vmm, "demo-guest", "--output", kernel);
            MigrationNetwork.SetUp();
            command.RunAll(command.CreateContenders(kernel, folder.FullName));
            return 0;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private bool TrySet(string name, string value)
    {
        switch (name)
        {
            case "--runs":
                return int.TryParse(value, CultureInfo.InvariantCulture, out _runs) && _runs > 0;
            case "--memory":
                _memory = value;
                return true;
            case "--writes":
                _writes = value;
                return true;
            case "--vmm":
                _vmm = value;
                return true;
            case "--qemu":
                _qemu = value;
                return true;
            default:
                return false;
        }
    }

    private MigrationContender[] CreateContenders(string kernel, string folder)
    {
        string qemu = HostTool.NameOfQemu(_qemu);
        MigrationGuest guest = new(kernel, _memory, _writes);
        return
        [
            new LiveUpdateContender(_vmm, guest, folder),
            new QemuContender(_qemu, guest, folder, $"{qemu}, x-ignore-shared", sharesMemory: true, isTuned: true),
            new QemuContender(_qemu, guest, folder, $"{qemu}, tuned", sharesMemory: false, isTuned: true),
            new QemuContender(_qemu, guest, folder, $"{qemu}, defaults", sharesMemory: false, isTuned: false),
        ];
    }

    private void RunAll(MigrationContender[] contenders)
    {
        List<MigrationSample>[] samples = [.. contenders.Select(_ => new List<MigrationSample>())];
        foreach (MigrationContender contender in contenders)
        {
            Console.Error.WriteLine($"{contender.Name}: {contender.Source.CommandText}");
        }

        long start = Stopwatch.GetTimestamp();
        double rate = MigrationRun.MeasureRate(contenders[0]);
        for (int run = -1; run < _runs; run++)
        {
            // Run -1 warms the page cache; then each begins in turn, so that a drift of the machine hits all alike.
            for (int i = 0; i < contenders.Length; i++)
            {
                int which = (run + 1 + i) % contenders.Length;
                MigrationSample sample = MigrationRun.Measure(contenders[which], rate);
                Console.Error.WriteLine($"run {run} {contenders[which].Name}: {sample}");
                if (run >= 0)
                {
                    samples[which].Add(sample);
                }
            }
        }

        int missing = samples.Sum(runs => runs.Count(sample => double.IsNaN(sample.Blackout)));
        double stoodStill = samples.Max(runs => runs.Max(sample => Math.Abs(sample.StoodStill)));
        Console.Error.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{Stopwatch.GetElapsedTime(start).TotalSeconds:F0} s, {missing} blackouts not found, the guest's clock at most {stoodStill:F0} µs off the host's"));
        MigrationTable.Write(Console.Out, [.. contenders.Zip(samples, (contender, runs) => (contender.Name, (IReadOnlyList<MigrationSample>)runs))]);
    }
}
