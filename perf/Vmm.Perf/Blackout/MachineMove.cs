using System.Diagnostics;
using Vmm.Core.Linux;
using Vmm.Core.State;

namespace Vmm.Perf.Blackout;

/// <summary>One hand-over within this process, by the same calls that a live update makes in two.</summary>
/// <param name="urgent">With raised priority.</param>
internal sealed class MachineMove(bool urgent)
{
    /// <summary>So many times round the guest's loop after the pause, its longest gap holds.</summary>
    private const ulong Settled = 20;

    private readonly StateBuffer _buffer = new();

    public void Run(DemoMachine source, DemoMachine destination, StepTimes times)
    {
        // The guest's longest gap is that of this move.
        Thread.Sleep(2);
        UrgentThread urgency = new(Libc.gettid());
        if (urgent)
        {
            _ = urgency.TryRaise(UrgentThread.High);
            source.Vm.SetUrgent(true);
            destination.Vm.SetUrgent(true);
        }

        source.LongestGap = 0;
        long start = Stopwatch.GetTimestamp();
        times.Begin();
        source.Vm.Pause();
        times.Mark("kick: every vCPU is out");
        _buffer.Clear();
        foreach (IStateSection section in source.Sections)
        {
            section.Save(_buffer, section.Version);
        }

        times.Mark("save");
        destination.Vm.Alert();
        StateInput input = new(_buffer.Written, []);
        foreach (IStateSection section in destination.Sections)
        {
            section.Load(ref input, section.Version);
        }

        times.Mark("load");
        foreach (IStateSection section in destination.Sections)
        {
            section.Apply();
        }

        times.Mark("apply");
        ulong before = destination.Iterations;
        destination.Vm.Resume();
        times.Mark("resume");
        while (destination.Iterations == before && !destination.HasEnded)
        {
        }

        times.Mark("first progress");
        times.Add("**all of it**", Stopwatch.GetElapsedTime(start).TotalMicroseconds);
        while (destination.Iterations < before + Settled && !destination.HasEnded)
        {
        }

        double gap = destination.LongestGap;
        destination.Vm.SetUrgent(false);
        source.Vm.SetUrgent(false);
        urgency.Lower();
        if (!WaitForIterations(destination, before + 100))
        {
            throw new InvalidOperationException("The guest has not survived the move.");
        }

        times.Add("**seen by the guest**", 1000.0 * gap / destination.TicksPerMillisecond);
    }

    /// <summary>The same without a move: what remains when nothing is saved and set.</summary>
    public void PauseInPlace(DemoMachine machine, StepTimes times)
    {
        Thread.Sleep(2);
        UrgentThread urgency = new(Libc.gettid());
        _ = urgent && urgency.TryRaise(UrgentThread.High);
        machine.Vm.SetUrgent(urgent);
        machine.LongestGap = 0;
        machine.Vm.Pause();
        ulong before = machine.Iterations;
        times.Begin();
        machine.Vm.Resume();
        while (machine.Iterations == before && !machine.HasEnded)
        {
        }

        times.Mark("(in place: from resume to first progress)");
        while (machine.Iterations < before + Settled && !machine.HasEnded)
        {
        }

        times.Add("(in place: pause and resume, seen by the guest)", 1000.0 * machine.LongestGap / machine.TicksPerMillisecond);
        machine.Vm.SetUrgent(false);
        urgency.Lower();
    }

    private static bool WaitForIterations(DemoMachine machine, ulong above)
        => SpinWait.SpinUntil(() => machine.Iterations > above || machine.HasEnded, TimeSpan.FromSeconds(30)) && !machine.HasEnded;
}
