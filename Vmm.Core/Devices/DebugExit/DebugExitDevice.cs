using Vmm.Core.Bus;
using Vmm.Core.Machine;

namespace Vmm.Core.Devices.DebugExit;

/// <summary>A port for bare-metal guests and tests: the byte written ends the machine and becomes its status.</summary>
public sealed class DebugExitDevice(MachineLifetime lifetime) : IBusDevice
{
    /// <summary>Reads as all ones, as where nothing is.</summary>
    public void Read(ulong offset, Span<byte> data)
    {
    }

    public void Write(ulong offset, ReadOnlySpan<byte> data)
    {
        if (offset == 0)
        {
            lifetime.End(new GuestEnd(GuestEndCause.DebugExit, Status: data[0]));
        }
    }
}
