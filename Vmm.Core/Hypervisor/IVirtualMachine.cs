using Vmm.Core.Events;
using Vmm.Core.Interrupts;
using Vmm.Core.Memory;
using Vmm.Core.State;

namespace Vmm.Core.Hypervisor;

/// <summary>
/// The seam to a hypervisor: guest RAM, vCPUs, interrupt lines and doorbells. Built on one thread; <see cref="Pause"/> and
/// <see cref="Resume"/> may come from any thread, one at a time.
/// </summary>
/// <remarks>
/// Life: construct, map memory, <see cref="Start"/>, any number of pauses, dispose. A machine that is taken over is not started: construct,
/// map memory, <see cref="CreateCpus"/>, load and apply <see cref="CreateStateSections"/>, <see cref="Resume"/>. Exits reach the two buses
/// on the vCPU's thread. Dispose stops and joins all vCPU threads.
/// </remarks>
public interface IVirtualMachine : IDisposable
{
    /// <summary>One line for people: which hypervisor, and what kind.</summary>
    string Description { get; }

    /// <summary>The warning that a user should see, or null: "emulates ring 0; a stock kernel will not boot".</summary>
    string? Limitation { get; }

    /// <summary>Makes RAM visible to the guest. The caller keeps <paramref name="memory"/> alive until this object is disposed.</summary>
    void MapMemory(GuestMemory memory);

    /// <summary>The level-triggered input pin <paramref name="gsi"/> of the interrupt controller.</summary>
    IInterruptLine GetInterruptLine(Gsi gsi);

    /// <summary>From now on a 4-byte guest write of <paramref name="value"/> to <paramref name="address"/> rings the doorbell and does not exit.</summary>
    void AttachDoorbell(GuestAddress address, uint value, EventFd doorbell);

    /// <summary>Undoes <see cref="AttachDoorbell"/>; the same three arguments.</summary>
    void DetachDoorbell(GuestAddress address, uint value, EventFd doorbell);

    /// <summary>
    /// Creates the vCPUs, with nothing in them yet, and their threads, which wait: <see cref="IsPaused"/> is true, and
    /// <see cref="Resume"/> is one wake-up. All that takes time is done when this returns.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">No vCPU, or more than the host has for one machine.</exception>
    void CreateCpus(int cpuCount);

    /// <summary>What the hypervisor keeps of a machine whose vCPUs exist: a section for each vCPU and those of the rest, in the order in which they are saved and applied.</summary>
    /// <remarks>They are saved, and applied, while the machine is paused. Keep them: they have their buffers with them.</remarks>
    IReadOnlyList<IStateSection> CreateStateSections();

    /// <summary>
    /// The vCPUs as they were when <see cref="TakeSnapshot"/> was called last, and where they may be applied before their state is, to a machine that
    /// does not run: what of it lasts then costs nothing any more.
    /// </summary>
    IReadOnlyList<IStateSection> CreateSnapshotSections();

    /// <summary>Has the vCPUs leave the guest to read their state; each goes on at once.</summary>
    void TakeSnapshot();

    /// <summary>Creates the vCPUs, puts the first one at <paramref name="entry"/> (the others wait for INIT and SIPI) and lets them run.</summary>
    void Start(int cpuCount, CpuEntry entry);

    /// <summary>Returns when every vCPU has stopped at a clean point: outside the guest, with its pending I/O completed.</summary>
    /// <param name="then">Called when they all have, before this returns, by one of their threads; does not throw.</param>
    void Pause(Action? then = null);

    /// <summary>Lets the vCPUs run, from where they are.</summary>
    void Resume();

    /// <summary>True between <see cref="Pause"/>, or <see cref="CreateCpus"/>, and <see cref="Resume"/>.</summary>
    bool IsPaused { get; }

    /// <summary>
    /// Lets the vCPUs' threads run before all others of the host, as far as this user may, or gives that back: around a hand-over, and
    /// for no longer, as a guest that never halts would keep its CPU from everybody. The calling thread must then be more urgent
    /// still (<see cref="Linux.UrgentThread.High"/>), or it may not come to take it back.
    /// </summary>
    void SetUrgent(bool urgent);
}
