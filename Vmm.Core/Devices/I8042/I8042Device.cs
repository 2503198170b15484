using Vmm.Core.Bus;
using Vmm.Core.Machine;

namespace Vmm.Core.Devices.I8042;

/// <summary>
/// What is left of the PC's keyboard controller: its reset line. No keyboard is attached, so both buffers are always empty.
/// </summary>
public sealed class I8042Device
{
    /// <summary>Status register: output and input buffer empty. All ones would make a guest wait for a byte that never comes.</summary>
    private const byte StatusEmpty = 0x00;

    // Commands 0xF0 to 0xFF pulse those output lines whose bit in the low nibble is 0; line 0 is the CPU's reset. 0xFE is the usual one.
    private const byte PulseMask = 0xF0;
    private const byte ResetLine = 0x01;

    public I8042Device(MachineLifetime lifetime)
    {
        DataPort = new Data();
        CommandPort = new Command(lifetime);
    }

    /// <summary>One port, 0x60.</summary>
    public IBusDevice DataPort { get; }

    /// <summary>One port, 0x64: status when read, command when written.</summary>
    public IBusDevice CommandPort { get; }

    private sealed class Data : IBusDevice
    {
        public void Read(ulong offset, Span<byte> data) => data[0] = 0;

        public void Write(ulong offset, ReadOnlySpan<byte> data)
        {
        }
    }

    private sealed class Command(MachineLifetime lifetime) : IBusDevice
    {
        public void Read(ulong offset, Span<byte> data) => data[0] = StatusEmpty;

        public void Write(ulong offset, ReadOnlySpan<byte> data)
        {
            if ((data[0] & (PulseMask | ResetLine)) == PulseMask)
            {
                lifetime.End(new GuestEnd(GuestEndCause.Reset));
            }
        }
    }
}
