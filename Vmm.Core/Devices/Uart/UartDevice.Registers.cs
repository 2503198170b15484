using static Vmm.Core.Devices.Uart.UartRegisters;

namespace Vmm.Core.Devices.Uart;

public sealed partial class UartDevice
{
    private byte ReadRegister(int register) => register switch
    {
        DLL when DivisorLatchAccess => (byte)_state.Divisor,
        DLM when DivisorLatchAccess => (byte)(_state.Divisor >> 8),
        RBR => Pop(),
        IER => _state.InterruptEnable,
        IIR => ReadInterruptIdentification(),
        LCR => _state.LineControl,
        MCR => _state.ModemControl,
        LSR => ReadLineStatus(),
        MSR => ReadModemStatus(),
        _ => _state.Scratch,
    };

    private void WriteRegister(int register, byte value)
    {
        // LSR is for factory tests and MSR is read-only: no case for them.
        switch (register)
        {
            case DLL when DivisorLatchAccess:
                _state.Divisor = (ushort)((_state.Divisor & 0xFF00) | value);
                break;
            case DLM when DivisorLatchAccess:
                _state.Divisor = (ushort)((_state.Divisor & 0x00FF) | value << 8);
                break;
            case THR:
                Transmit(value);
                break;
            case IER:
                WriteInterruptEnable(value);
                break;
            case FCR:
                WriteFifoControl(value);
                break;
            case LCR:
                _state.LineControl = value;
                break;
            case MCR:
                WriteModemControl(value);
                break;
            case SCR:
                _state.Scratch = value;
                break;
        }
    }

    private void Transmit(byte value)
    {
        if (InLoopback)
        {
            LoopBack(value);
        }
        else
        {
            _console.Write([value]);
            _metrics = _metrics with { TransmittedBytes = _metrics.TransmittedBytes + 1 };
        }

        _state.TransmitInterruptPending = true;
    }

    /// <summary>Enabling THRI while the holding register is empty, and it always is, makes the interrupt due again.</summary>
    private void WriteInterruptEnable(byte value)
    {
        byte changed = (byte)(_state.InterruptEnable ^ value);
        _state.InterruptEnable = (byte)(value & IER_MASK);
        if ((changed & IER_THRI) != 0)
        {
            _state.TransmitInterruptPending = (value & IER_THRI) != 0;
        }
    }

    /// <summary>Reading clears the transmit interrupt when that is what it reports, and no other.</summary>
    private byte ReadInterruptIdentification()
    {
        byte identification = InterruptIdentification();
        if (identification == IIR_THRI)
        {
            _state.TransmitInterruptPending = false;
        }

        return (byte)(identification | (FifoEnabled ? IIR_FIFO_ENABLED : 0));
    }

    /// <summary>Without the enable bit the others are not programmed; changing it empties both FIFOs.</summary>
    private void WriteFifoControl(byte value)
    {
        if (((value ^ _state.FifoControl) & FCR_ENABLE) != 0 || (value & FCR_CLEAR_RCVR) != 0)
        {
            ClearFifo();
        }

        _state.FifoControl = (value & FCR_ENABLE) == 0 ? (byte)0 : (byte)(value & (FCR_ENABLE | FCR_DMA | FCR_TRIGGER_MASK));
    }

    private byte ReadLineStatus()
    {
        byte status = LSR_THRE | LSR_TEMT;
        status |= _state.FifoCount > 0 ? LSR_DR : (byte)0;
        status |= _state.Overrun ? LSR_OE : (byte)0;
        _state.Overrun = false;
        return status;
    }

    private byte ReadModemStatus()
    {
        byte status = _state.ModemStatus;
        _state.ModemStatus &= MSR_LINES_MASK;
        return status;
    }

    /// <summary>In loopback the four outputs are wired to the four inputs; otherwise a modem is always there.</summary>
    private void WriteModemControl(byte value)
    {
        _state.ModemControl = (byte)(value & MCR_MASK);
        byte lines = InLoopback
            ? (byte)(((value & MCR_RTS) != 0 ? MSR_CTS : 0) | ((value & MCR_DTR) != 0 ? MSR_DSR : 0)
                | ((value & MCR_OUT1) != 0 ? MSR_RI : 0) | ((value & MCR_OUT2) != 0 ? MSR_DCD : 0))
            : (byte)(MSR_DCD | MSR_DSR | MSR_CTS);

        // CTS, DSR and DCD report each change, RI (TERI) its trailing edge only.
        int changed = (lines ^ _state.ModemStatus) & MSR_LINES_MASK;
        int deltas = changed >> 4;
        if ((lines & MSR_RI) != 0)
        {
            deltas &= ~MSR_TERI;
        }

        _state.ModemStatus = (byte)(lines | (_state.ModemStatus & MSR_DELTA_MASK) | deltas);
    }
}
