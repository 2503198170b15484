namespace Vmm.Core.Devices.Uart;

/// <summary>Registers and bits of a 16550A (National Semiconductor PC16550D data sheet, section 8).</summary>
internal static class UartRegisters
{
    public const int RBR = 0; // receiver buffer (read), DLAB = 0
    public const int THR = 0; // transmitter holding (write), DLAB = 0
    public const int DLL = 0; // divisor latch, low, DLAB = 1
    public const int IER = 1; // interrupt enable, DLAB = 0
    public const int DLM = 1; // divisor latch, high, DLAB = 1
    public const int IIR = 2; // interrupt identification (read)
    public const int FCR = 2; // FIFO control (write)
    public const int LCR = 3; // line control
    public const int MCR = 4; // modem control
    public const int LSR = 5; // line status
    public const int MSR = 6; // modem status
    public const int SCR = 7; // scratch

    public const byte IER_RDI = 0x01;  // received data
    public const byte IER_THRI = 0x02; // transmitter holding register empty
    public const byte IER_RLSI = 0x04; // receiver line status
    public const byte IER_MSI = 0x08;  // modem status
    public const byte IER_MASK = 0x0F;

    public const byte IIR_MSI = 0x00;
    public const byte IIR_NO_INT = 0x01;
    public const byte IIR_THRI = 0x02;
    public const byte IIR_RDI = 0x04;
    public const byte IIR_RLSI = 0x06;
    public const byte IIR_CTI = 0x0C; // character time-out: data below the trigger level
    public const byte IIR_FIFO_ENABLED = 0xC0;

    public const byte FCR_ENABLE = 0x01;
    public const byte FCR_CLEAR_RCVR = 0x02;
    public const byte FCR_DMA = 0x08;
    public const byte FCR_TRIGGER_MASK = 0xC0;

    public const byte LCR_DLAB = 0x80;

    public const byte MCR_DTR = 0x01;
    public const byte MCR_RTS = 0x02;
    public const byte MCR_OUT1 = 0x04;
    public const byte MCR_OUT2 = 0x08;
    public const byte MCR_LOOP = 0x10;
    public const byte MCR_MASK = 0x1F;

    public const byte LSR_DR = 0x01;   // data ready
    public const byte LSR_OE = 0x02;   // overrun
    public const byte LSR_THRE = 0x20; // transmitter holding register empty
    public const byte LSR_TEMT = 0x40; // transmitter empty

    public const byte MSR_DELTA_MASK = 0x0F;
    public const byte MSR_TERI = 0x04;
    public const byte MSR_CTS = 0x10;
    public const byte MSR_DSR = 0x20;
    public const byte MSR_RI = 0x40;
    public const byte MSR_DCD = 0x80;
    public const byte MSR_LINES_MASK = 0xF0;

    public const int FifoSize = 16;
}
