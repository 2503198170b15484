using Vmm.Core.Bus;
using Vmm.Core.Machine;

namespace Vmm.Core.Devices.Panic;

/// <summary>pvpanic: a port by which a guest's kernel says that it has panicked (QEMU, docs/specs/pvpanic).</summary>
public sealed class PanicDevice(MachineLifetime lifetime) : IBusDevice
{
    private const byte Panicked = 1 << 0;
    private const byte CrashLoaded = 1 << 1;

    /// <summary>The events that are understood. A kernel that is about to write its own crash dump goes on.</summary>
    public void Read(ulong offset, Span<byte> data) => data[0] = Panicked | CrashLoaded;

    public void Write(ulong offset, ReadOnlySpan<byte> data)
    {
        if ((data[0] & (Panicked | CrashLoaded)) == Panicked)
        {
            lifetime.End(new GuestEnd(GuestEndCause.Panic));
        }
    }
}
