using System.Diagnostics;
using System.Globalization;
using Vmm.Core.Memory;

namespace Vmm.Perf.Blackout;

/// <summary>
/// <c>blackout</c>: moves the running demo guest again and again between two virtual machines of this process, as a live update does, and
/// prints what each step takes; then every ioctl of it alone.
/// </summary>
internal sealed class BlackoutCommand
{
    private const string Usage = "Usage: perf/blackout [--runs N] [--cpus N,N,...] [--memory MIB] [--priority raised|normal]";
    private const int WarmUp = 20;

    private int _runs = 200;
    private int[] _cpuCounts = [1, 4];
    private ulong _memory = 128;
    private bool _urgent = true;

    public static int Execute(ReadOnlySpan<string> arguments)
    {
        BlackoutCommand command = new();
        if (!CommandOptions.TryRead(arguments, command.TrySet, Usage))
        {
            return 2;
        }

        foreach (int cpuCount in command._cpuCounts)
        {
            command.Measure(cpuCount);
        }

        return 0;
    }

    private bool TrySet(string name, string value)
    {
        switch (name)
        {
            case "--runs":
                return int.TryParse(value, CultureInfo.InvariantCulture, out _runs) && _runs > 0;
            case "--priority":
                _urgent = value == "raised";
                return value is "raised" or "normal";
            case "--memory":
                return ulong.TryParse(value, CultureInfo.InvariantCulture, out _memory) && _memory >= 16;
            case "--cpus":
                _cpuCounts = [.. value.Split(',').Select(c => int.TryParse(c, CultureInfo.InvariantCulture, out int n) ? n : 0)];
                return Array.TrueForAll(_cpuCounts, c => c > 0);
            default:
                return false;
        }
    }

    private void Measure(int cpuCount)
    {
        using GuestMemory memory = GuestMemory.Create(new GuestMemoryOptions(_memory << 20, Populate: true));
        StepTimes moves = new();
        StepTimes bare = new();
        DemoMachine machine = new(memory);
        machine.Start(cpuCount);
        MachineMove move = new(_urgent);
        for (int run = -WarmUp; run < _runs; run++)
        {
            DemoMachine next = new(memory);
            next.Prepare(cpuCount);
            move.Run(machine, next, run < 0 ? new StepTimes() : moves);
            long closing = Stopwatch.GetTimestamp();
            machine.Dispose();
            if (run >= 0)
            {
                moves.Add("(afterwards: closing the old machine)", Stopwatch.GetElapsedTime(closing).TotalMicroseconds);
            }

            machine = next;
            move.PauseInPlace(machine, run < 0 ? new StepTimes() : moves);
        }

        // The same ioctls alone: read from the machine that runs, set in one that never will.
        using (DemoMachine target = new(memory))
        {
            target.Prepare(cpuCount);
            BareState state = new(machine.Vm);
            for (int run = -WarmUp; run < _runs; run++)
            {
                StepTimes times = run < 0 ? new StepTimes() : bare;
                machine.Vm.Pause();
                state.Get(machine.Vm, times);
                state.Set(target.Vm, times);
                machine.Vm.Resume();
                Thread.Sleep(1);
            }
        }

        machine.Dispose();
        StepTable.Write(Console.Out, $"{cpuCount} vCPU{(cpuCount == 1 ? "" : "s")}, {_memory} MiB, {_runs} moves", moves);
        StepTable.Write(Console.Out, "each of its ioctls alone", bare);
    }
}
