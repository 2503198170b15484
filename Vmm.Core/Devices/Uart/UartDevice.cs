using Vmm.Core.Bus;
using Vmm.Core.Consoles;
using Vmm.Core.Interrupts;
using static Vmm.Core.Devices.Uart.UartRegisters;

namespace Vmm.Core.Devices.Uart;

/// <summary>
/// A 16550A serial port. Bytes leave at once, whatever the divisor says: the transmitter is always empty when the guest looks.
/// </summary>
/// <remarks>
/// One lock guards everything. It is taken by vCPU threads (registers) and by the console's thread (<see cref="Receive"/>); the
/// console's own lock is only ever taken inside it, never around it.
/// <code>
/// transmit interrupt: THR written, or IER.THRI set -> pending -> IIR read as THRI -> not pending
/// input:              console -> Receive -> FIFO; full -> console stops -> guest reads RBR -> ResumeInput -> console
/// </code>
/// </remarks>
public sealed partial class UartDevice : IBusDevice, IConsoleReceiver
{
    // Fixed configuration.
    private readonly IConsole _console;
    private readonly IInterruptLine _interrupt;

    // Runtime glue.
    private readonly Lock _lock = new();
    private bool _level;
    private bool _inputRefused;
    private UartMetrics _metrics;

    // Volatile state.
    private UartState _state;

    public UartDevice(IConsole console, IInterruptLine interrupt)
    {
        _console = console;
        _interrupt = interrupt;
        _state.Divisor = 12; // 9600 baud from the PC's 1.8432 MHz
        _state.ModemStatus = MSR_DCD | MSR_DSR | MSR_CTS;
    }

    public UartMetrics Metrics
    {
        get
        {
            lock (_lock)
            {
                return _metrics;
            }
        }
    }

    /// <summary>A wider access is one access per byte, to registers that follow each other, as an 8-bit device on ISA sees it.</summary>
    public void Read(ulong offset, Span<byte> data)
    {
        lock (_lock)
        {
            for (int i = 0; i < data.Length && offset + (uint)i <= SCR; i++)
            {
                data[i] = ReadRegister((int)offset + i);
            }

            UpdateInterrupt();
            ResumeInput();
        }
    }

    public void Write(ulong offset, ReadOnlySpan<byte> data)
    {
        lock (_lock)
        {
            for (int i = 0; i < data.Length && offset + (uint)i <= SCR; i++)
            {
                WriteRegister((int)offset + i, data[i]);
            }

            UpdateInterrupt();
            ResumeInput();
        }
    }

    private bool FifoEnabled => (_state.FifoControl & FCR_ENABLE) != 0;

    private bool InLoopback => (_state.ModemControl & MCR_LOOP) != 0;

    private bool DivisorLatchAccess => (_state.LineControl & LCR_DLAB) != 0;

    /// <summary>The source of highest priority that is enabled and due (data sheet, table IV).</summary>
    private byte InterruptIdentification()
    {
        byte enabled = _state.InterruptEnable;
        if ((enabled & IER_RLSI) != 0 && _state.Overrun)
        {
            return IIR_RLSI;
        }

        if ((enabled & IER_RDI) != 0 && _state.FifoCount > 0)
        {
            // Bytes below the trigger level would interrupt after four character times; they do at once, since nothing more is on the wire.
            return _state.FifoCount >= TriggerLevel ? IIR_RDI : IIR_CTI;
        }

        if ((enabled & IER_THRI) != 0 && _state.TransmitInterruptPending)
        {
            return IIR_THRI;
        }

        return (enabled & IER_MSI) != 0 && (_state.ModemStatus & MSR_DELTA_MASK) != 0 ? IIR_MSI : IIR_NO_INT;
    }

    /// <summary>
    /// The line follows IIR. SPEC: a PC's board gates it with OUT2; as in QEMU it is not gated here, so that a guest which does not know
    /// about the board's wiring gets its interrupts.
    /// </summary>
    private void UpdateInterrupt()
    {
        bool level = InterruptIdentification() != IIR_NO_INT;
        if (level != _level)
        {
            _level = level;
            _interrupt.SetLevel(level);
        }
    }
}
