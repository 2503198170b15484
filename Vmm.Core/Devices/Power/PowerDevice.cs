using System.Buffers.Binary;
using Vmm.Core.Bus;
using Vmm.Core.Interrupts;
using Vmm.Core.Machine;
using Vmm.Core.Machine.Acpi;

namespace Vmm.Core.Devices.Power;

/// <summary>
/// What is left of ACPI's hardware in its hardware-reduced profile: the generic event device (ACPI 6.5, section 5.6.9), by which the power
/// button is pressed, and the registers for sleep and reset (sections 4.8.3.7 and 4.8.3.6). Its interrupt is edge-triggered.
/// </summary>
public sealed partial class PowerDevice
{
    // Sleep control (table 4.19) and status (table 4.20).
    private const byte SleepEnable = 1 << 5;
    private const int SleepTypeShift = 2;
    private const byte SleepTypeMask = 7;
    private const ulong Control = MachineLayout.SleepControlRegister - MachineLayout.PowerRegisters;
    private const ulong Status = MachineLayout.SleepStatusRegister - MachineLayout.PowerRegisters;
    private const ulong Reset = MachineLayout.ResetRegister - MachineLayout.PowerRegisters;

    private readonly MachineLifetime _lifetime;
    private readonly IInterruptLine _line;
    private readonly Lock _lock = new();

    private PowerState _state;

    public PowerDevice(MachineLifetime lifetime, IInterruptLine line)
    {
        _lifetime = lifetime;
        _line = line;
        EventRegister = new Events(this);
        Registers = new SleepRegisters(this);
    }

    /// <summary>32 bits at <see cref="MachineLayout.EventRegister"/>: the events since it was read; reading clears it.</summary>
    public IBusDevice EventRegister { get; }

    /// <summary>The bytes from <see cref="MachineLayout.PowerRegisters"/> on.</summary>
    public IBusDevice Registers { get; }

    /// <summary>As a person would. What the guest makes of it is its own affair.</summary>
    public void PressButton()
    {
        lock (_lock)
        {
            _state.IsButtonPressed = true;
            _line.SetLevel(true);
        }
    }

    private sealed class Events(PowerDevice power) : IBusDevice
    {
        public void Read(ulong offset, Span<byte> data)
        {
            if (offset != 0 || data.Length != sizeof(uint))
            {
                return;
            }

            lock (power._lock)
            {
                BinaryPrimitives.WriteUInt32LittleEndian(data, power._state.IsButtonPressed ? MachineLayout.PowerButtonEvent : 0);
                power._state.IsButtonPressed = false;
                power._line.SetLevel(false);
            }
        }

        public void Write(ulong offset, ReadOnlySpan<byte> data)
        {
        }
    }

    private sealed class SleepRegisters(PowerDevice power) : IBusDevice
    {
        // No sleep state leaves the machine there to wake up, so WAK_STS is never set.
        public void Read(ulong offset, Span<byte> data) => data.Clear();

        public void Write(ulong offset, ReadOnlySpan<byte> data)
        {
            byte value = data[0];
            switch (offset)
            {
                case Control when (value & SleepEnable) != 0 && ((value >> SleepTypeShift) & SleepTypeMask) == MachineLayout.SoftOffSleepType:
                    power._lifetime.End(new GuestEnd(GuestEndCause.PowerOff));
                    break;
                case Reset when value == Fadt.ResetValue:
                    power._lifetime.End(new GuestEnd(GuestEndCause.Reset));
                    break;
                case Status:
                default:
                    break;
            }
        }
    }
}
