using System.Runtime.CompilerServices;

namespace Vmm.Core.Devices.Uart;

/// <summary>All of a 16550A that the guest can see or cause: what would migrate. LSR and IIR follow from it.</summary>
internal struct UartState
{
    public byte InterruptEnable;
    public byte FifoControl;
    public byte LineControl;
    public byte ModemControl;
    public byte ModemStatus;
    public byte Scratch;
    public ushort Divisor;

    /// <summary>The "holding register empty" interrupt is due: set when the register empties or is enabled, cleared by reading IIR.</summary>
    public bool TransmitInterruptPending;

    /// <summary>A byte came when the FIFO was full; cleared by reading LSR.</summary>
    public bool Overrun;

    public ReceiveFifo Fifo;
    public byte FifoHead;
    public byte FifoCount;

    [InlineArray(UartRegisters.FifoSize)]
    public struct ReceiveFifo
    {
        private byte _first;
    }
}
