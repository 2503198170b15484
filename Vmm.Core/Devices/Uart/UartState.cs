using System.Runtime.CompilerServices;
using Vmm.Core.State;

namespace Vmm.Core.Devices.Uart;

/// <summary>All of a 16550A that the guest can see or cause: what would migrate. LSR and IIR follow from it.</summary>
internal struct UartState : IDescribed<UartState>
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

    public static string StateName => "uart";

    public static void Describe<TVisitor>(ref TVisitor visitor, scoped ref UartState state) where TVisitor : IStateVisitor, allows ref struct
    {
        visitor.Field("ier", ref state.InterruptEnable);
        visitor.Field("fcr", ref state.FifoControl);
        visitor.Field("lcr", ref state.LineControl);
        visitor.Field("mcr", ref state.ModemControl);
        visitor.Field("msr", ref state.ModemStatus);
        visitor.Field("scr", ref state.Scratch);
        visitor.Field("divisor", ref state.Divisor);
        visitor.Field("thr_interrupt_pending", ref state.TransmitInterruptPending);
        visitor.Field("overrun", ref state.Overrun);
        visitor.Bytes("receive_fifo", state.Fifo);
        visitor.Field("receive_fifo_head", ref state.FifoHead);
        visitor.Field("receive_fifo_count", ref state.FifoCount);
    }

    public static string? PostLoad(scoped ref UartState state)
        => state.FifoHead >= UartRegisters.FifoSize ? $"receive_fifo_head {state.FifoHead} is not below {UartRegisters.FifoSize}"
            : state.FifoCount > UartRegisters.FifoSize ? $"receive_fifo_count {state.FifoCount} is more than {UartRegisters.FifoSize}"
            : null;

    [InlineArray(UartRegisters.FifoSize)]
    public struct ReceiveFifo
    {
        private byte _first;
    }
}
