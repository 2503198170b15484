using static Vmm.Core.Tests.Devices.Uart.UartFixture;

namespace Vmm.Core.Tests.Devices.Uart;

/// <summary>What Linux's 8250 driver does with a port (drivers/tty/serial/8250/8250_port.c), register by register, with what it wants to read.</summary>
public sealed class UartLinuxProbeTests
{
    private readonly UartFixture _uart = new();

    [Fact]
    public void Autoconfig_Transcript_FindsA16550A()
    {
        // Is there a UART at all: the low four bits of IER hold what is written.
        byte savedIer = _uart.In(IER);
        _uart.Out(IER, 0);
        (_uart.In(IER) & 0x0F).Should().Be(0);
        _uart.Out(IER, 0x0F);
        _uart.In(IER).Should().Be(0x0F);
        _uart.Out(IER, savedIer);

        // Loopback: RTS and OUT2 come back as CTS and DCD.
        byte savedMcr = _uart.In(MCR), savedLcr = _uart.In(LCR);
        _uart.Out(MCR, 0x1A);
        (_uart.In(MSR) & 0xF0).Should().Be(0x90);
        _uart.Out(MCR, savedMcr);

        // Which type: FIFO bits of IIR.
        _uart.Out(LCR, 0xBF);
        _uart.Out(FCR, 0); // EFR on other chips
        _uart.Out(LCR, 0);
        _uart.Out(FCR, 0x01);
        (_uart.In(IIR) & 0xC0).Should().Be(0xC0, "16550A");

        // autoconfig_16550a: no EFR with DLAB, none at 0xBF.
        _uart.Out(LCR, 0x80);
        _uart.In(IIR).Should().NotBe(0);
        _uart.Out(LCR, 0xBF);
        _uart.In(IIR).Should().NotBe(0);

        // No National SuperIO: EXCR1 at LCR 0xE0 does not follow MCR.LOOP.
        _uart.Out(LCR, 0);
        byte mcr = _uart.In(MCR);
        _uart.Out(LCR, 0xE0);
        byte before = _uart.In(2);
        _uart.Out(LCR, 0);
        _uart.Out(MCR, mcr ^ 0x10);
        _uart.Out(LCR, 0xE0);
        byte after = _uart.In(2);
        _uart.Out(LCR, 0);
        _uart.Out(MCR, mcr);
        after.Should().Be(before);

        // No TI16750: bit 5 of IIR stays clear, with and without DLAB.
        _uart.Out(FCR, 0x21);
        (_uart.In(IIR) & 0xE0).Should().Be(0xC0);
        _uart.Out(FCR, 0x01);
        _uart.Out(LCR, 0x80);
        _uart.Out(FCR, 0x21);
        (_uart.In(IIR) & 0xE0).Should().Be(0xC0);
        _uart.Out(FCR, 0x01);
        _uart.Out(LCR, 0);

        // No XScale: UUE (bit 6 of IER) can't be set.
        byte ier = _uart.In(IER);
        _uart.Out(IER, ier | 0x40);
        (_uart.In(IER) & 0x40).Should().Be(0);
        _uart.Out(IER, ier);

        _uart.Out(LCR, savedLcr);
        _uart.Out(MCR, savedMcr);
        _uart.Out(FCR, 0x01);
        _uart.Out(FCR, 0x07);
        _uart.Out(FCR, 0x00);
        _uart.In(RBR);
        _uart.Out(IER, 0);
        _uart.Line.Level.Should().BeFalse();
        _uart.Console.Written.Should().BeEmpty("probing prints nothing");
    }

    [Fact]
    public void SizeFifo_Transcript_Counts16()
    {
        _uart.Out(FCR, 0x07);
        _uart.Out(MCR, 0x10);
        _uart.Out(LCR, 0x83);
        _uart.Out(DLL, 1);
        _uart.Out(DLM, 0);
        _uart.Out(LCR, 0x03);
        for (int i = 0; i < 256; i++)
        {
            _uart.Out(THR, i);
        }

        int count = 0;
        while ((_uart.In(LSR) & 0x01) != 0 && count < 256)
        {
            _uart.In(RBR);
            count++;
        }

        count.Should().Be(16);
    }

    [Fact]
    public void Scratch_HoldsAnyValue()
    {
        foreach (byte value in (byte[])[0xA5, 0x5A, 0x00, 0xFF])
        {
            _uart.Out(SCR, value);
            _uart.In(SCR).Should().Be(value);
        }
    }

    [Fact]
    public void Startup_Transcript_FindsNoBug()
    {
        _uart.Out(FCR, 0x01);
        _uart.Out(FCR, 0x07);
        _uart.Out(FCR, 0x00);
        _uart.In(LSR).Should().NotBe(0xFF);
        _uart.In(RBR);
        _uart.In(IIR);
        _uart.In(MSR);

        // serial8250_THRE_test: THRI is asserted again when it is enabled again.
        _uart.Out(IER, 0x02);
        byte first = _uart.In(IIR);
        _uart.Out(IER, 0);
        _uart.Out(IER, 0x02);
        byte second = _uart.In(IIR);
        _uart.Out(IER, 0);
        (first & 1).Should().Be(0);
        (second & 1).Should().Be(0);

        _uart.Out(LCR, 0x03);
        _uart.Out(MCR, 0x08);

        // UART_BUG_TXEN: an empty transmitter interrupts as soon as it may.
        _uart.Out(IER, 0x02);
        (_uart.In(LSR) & 0x40).Should().Be(0x40);
        (_uart.In(IIR) & 1).Should().Be(0);
        _uart.Out(IER, 0);

        // In use: IER of an open port, FIFOs on with trigger 8.
        _uart.In(LSR);
        _uart.In(RBR);
        _uart.In(IIR);
        _uart.In(MSR);
        _uart.Out(IER, 0x05);
        _uart.Out(FCR, 0x81);
        _uart.Line.Level.Should().BeFalse();
    }

    [Fact]
    public void Transmit_InterruptDriven_SendsAllInFifoLoads()
    {
        _uart.Out(FCR, 0x81);
        _uart.Out(IER, 0x05);
        byte[] text = [.. Enumerable.Range(0, 100).Select(i => (byte)i)];
        int sent = 0;
        _uart.Out(IER, 0x07);
        for (int interrupts = 0; _uart.Line.Level; interrupts++)
        {
            interrupts.Should().BeLessThan(10);
            (_uart.In(IIR) & 0x0F).Should().Be(0x02);
            (_uart.In(LSR) & 0x20).Should().Be(0x20);
            foreach (byte value in text.Skip(sent).Take(16))
            {
                _uart.Out(THR, value);
                sent++;
            }

            if (sent == text.Length)
            {
                _uart.Out(IER, 0x05);
            }
        }

        _uart.Console.Written.Should().Equal(text);
    }
}
