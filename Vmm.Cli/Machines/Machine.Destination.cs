using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Vmm.Core.Hypervisor;
using Vmm.Core.Machine;
using Vmm.Core.Memory;

namespace Vmm.Cli.Machines;

// Arriving from another process.
internal sealed partial class Machine
{
    private static readonly TimeSpan s_claimLimit = TimeSpan.FromSeconds(1);

    /// <summary>Builds a machine around the RAM and the back ends of another process's. The guest does not run yet; nothing is touched that it uses.</summary>
    /// <param name="options">As the other process has them, or as this one's user wants them.</param>
    /// <param name="memory">The RAM; the machine owns it.</param>
    /// <param name="backends">By device index; the machine owns them. The others are opened.</param>
    /// <param name="cpuid">What the guest's CPUs have answered so far.</param>
    /// <param name="consoleComes">The console comes with the state; otherwise it is opened as the options say.</param>
    /// <param name="lifetime">Where the machine's end will be announced.</param>
    /// <param name="log">For warnings and what the devices have to say.</param>
    public static Machine BuildAround(
        MachineOptions options,
        GuestMemory memory,
        IReadOnlyDictionary<int, IDisposable> backends,
        IReadOnlyList<CpuidLeaf> cpuid,
        bool consoleComes,
        MachineLifetime lifetime,
        ILogger log)
    {
        Machine machine = new(options, lifetime, log) { _memory = memory, _consoleComes = consoleComes, _arrives = true };
        foreach ((int index, IDisposable backend) in backends)
        {
            machine._adopted.Add(index, backend);
        }

        try
        {
            machine.Adopt(options);
            machine.Assemble(options, beforeTraces: null);
            machine._hypervisor!.UseCpuid(cpuid);
            machine._hypervisor.CreateCpus(options.CpuCount);
            machine.StopQueues();
            memory.Prefault();
            machine._runState = RunState.InMigrate;
            machine.Started = DateTimeOffset.UnixEpoch; // comes with the state
            return machine;
        }
        catch
        {
            machine.Dispose();
            throw;
        }
    }

    /// <summary>Takes what nobody will give up for this machine, or sees that it is not to be had.</summary>
    /// <exception cref="UserErrorException">Another process has it.</exception>
    public void Claim()
    {
        // A source that has just written the machine gives it up in a moment.
        for (long started = Stopwatch.GetTimestamp(); ; Thread.Sleep(1))
        {
            try
            {
                Reclaim();
                return;
            }
            catch (UserErrorException) when (Stopwatch.GetElapsedTime(started) < s_claimLimit)
            {
            }
        }
    }

    /// <summary>The guest goes on here: the back ends are ours.</summary>
    public void TakeOver()
    {
        bool runs = _stateBefore == RunState.Running;
        foreach (MachineDevice device in _devices)
        {
            device.Acquire(runs, complaint => _log.LogWarning("{Name}: {Id}: {Complaint}", Name, device.Id, complaint));
        }

        ResumeAsBefore();
    }

    /// <summary>Begins with what was left to the other process until now.</summary>
    public void StartConsole() => _console!.Start(_uart!);
}
