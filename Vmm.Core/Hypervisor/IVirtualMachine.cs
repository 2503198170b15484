using Vmm.Core.Events;
using Vmm.Core.Interrupts;
using Vmm.Core.Memory;

namespace Vmm.Core.Hypervisor;

/// <summary>
/// The seam to a hypervisor: guest RAM, vCPUs, interrupt lines and doorbells. Built on one thread; <see cref="Pause"/> and
/// <see cref="Resume"/> may come from any thread, one at a time.
/// </summary>
/// <remarks>
/// Life: construct, map memory, add CPUs, <see cref="Start"/>, any number of pauses, dispose. Exits reach the two buses on the vCPU's
/// thread. Dispose stops and joins all vCPU threads.
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

    /// <summary>Creates the vCPUs, puts the first one at <paramref name="entry"/> (the others wait for INIT and SIPI) and lets them run.</summary>
    void Start(int cpuCount, CpuEntry entry);

    /// <summary>Returns when every vCPU has stopped at a clean point: outside the guest, with its pending I/O completed.</summary>
    void Pause();

    void Resume();

    /// <summary>True between <see cref="Pause"/> and <see cref="Resume"/>.</summary>
    bool IsPaused { get; }
}
