using static Vmm.Core.Tests.Devices.Uart.UartFixture;

namespace Vmm.Core.Tests.Devices.Uart;

public sealed class UartInterruptTests
{
    private readonly UartFixture _uart = new();

    [Fact]
    public void Iir_NothingDue_SaysSo()
    {
        _uart.In(IIR).Should().Be(0x01);
        _uart.Out(FCR, 0x01);
        _uart.In(IIR).Should().Be(0xC1);
        _uart.Line.Level.Should().BeFalse();
    }

    [Fact]
    public void Thri_Enabled_InterruptsOnceUntilIirIsRead()
    {
        _uart.Out(IER, 0x02);
        _uart.Line.Level.Should().BeTrue("the register is empty when the interrupt is enabled");
        _uart.In(IIR).Should().Be(0x02);
        _uart.Line.Level.Should().BeFalse("reading IIR clears it");
        _uart.In(IIR).Should().Be(0x01);

        _uart.Out(IER, 0x02);
        _uart.Line.Level.Should().BeFalse("the bit did not change");
        _uart.Out(THR, 'a');
        _uart.Line.Level.Should().BeTrue("the byte has left");
        _uart.In(IIR).Should().Be(0x02);

        _uart.Out(IER, 0x00);
        _uart.Out(IER, 0x02);
        _uart.Line.Level.Should().BeTrue("enabled again");
        _uart.Out(IER, 0x00);
        _uart.Line.Level.Should().BeFalse("disabled");
        _uart.In(IIR).Should().Be(0x01);
    }

    [Fact]
    public void Thri_Disabled_WritingDoesNotInterrupt()
    {
        _uart.Out(THR, 'a');
        _uart.Line.RisingEdges.Should().Be(0);
        _uart.Console.Written.Should().Equal((byte)'a');
        _uart.In(LSR).Should().Be(0x60);
    }

    [Fact]
    public void Rdi_DataWithoutFifo_InterruptsUntilRead()
    {
        _uart.Out(IER, 0x01);
        _uart.Receive((byte)'x').Should().Be(1);
        _uart.Line.Level.Should().BeTrue();
        _uart.In(IIR).Should().Be(0x04);
        _uart.In(IIR).Should().Be(0x04, "only reading the data clears it");
        _uart.In(LSR).Should().Be(0x61);
        _uart.In(RBR).Should().Be((byte)'x');
        _uart.Line.Level.Should().BeFalse();
        _uart.In(IIR).Should().Be(0x01);
        _uart.In(LSR).Should().Be(0x60);
    }

    [Theory]
    [InlineData(0x01, 1)]
    [InlineData(0x41, 4)]
    [InlineData(0x81, 8)]
    [InlineData(0xC1, 14)]
    public void Rdi_TriggerLevel_TimeoutBelowAndDataFromItOn(int fifoControl, int level)
    {
        _uart.Out(FCR, fifoControl);
        _uart.Out(IER, 0x01);
        for (int i = 1; i < level; i++)
        {
            _uart.Receive((byte)i);
            _uart.In(IIR).Should().Be(0xCC);
            _uart.Line.Level.Should().BeTrue("data interrupts at any level");
        }

        _uart.Receive((byte)level);
        _uart.In(IIR).Should().Be(0xC4);
        for (int i = 1; i <= level; i++)
        {
            _uart.In(RBR).Should().Be((byte)i);
        }

        _uart.In(IIR).Should().Be(0xC1);
    }

    [Fact]
    public void Iir_AllDue_ReportsInTheOrderOfPriority()
    {
        _uart.Out(MCR, 0x10);
        _uart.Out(THR, 'a');
        _uart.Out(THR, 'b');
        _uart.Out(IER, 0x0F);
        _uart.In(IIR).Should().Be(0x06, "overrun");
        _uart.In(LSR).Should().Be(0x63);
        _uart.In(IIR).Should().Be(0x04, "data");
        _uart.In(RBR).Should().Be((byte)'a');
        _uart.In(IIR).Should().Be(0x02, "transmitter");
        _uart.In(IIR).Should().Be(0x00, "modem");
        _uart.Line.Level.Should().BeTrue();
        _uart.In(MSR).Should().Be(0x0B, "CTS, DSR and DCD fell");
        _uart.In(IIR).Should().Be(0x01);
        _uart.Line.RisingEdges.Should().Be(1, "it was due without a break");
    }

    [Fact]
    public void Iir_DataPending_ReadingDoesNotClearTheTransmitInterrupt()
    {
        _uart.Out(IER, 0x03);
        _uart.Receive((byte)'x');
        _uart.In(IIR).Should().Be(0x04);
        _uart.In(RBR);
        _uart.In(IIR).Should().Be(0x02);
    }

    [Fact]
    public void Msr_Loopback_ReportsOutputsAndTrailingEdgeOfRing()
    {
        _uart.In(MSR).Should().Be(0xB0, "a modem is there");
        _uart.Out(MCR, 0x10);
        _uart.In(MSR).Should().Be(0x0B);
        _uart.Out(MCR, 0x11);
        _uart.In(MSR).Should().Be(0x22, "DTR is DSR");
        _uart.Out(MCR, 0x12);
        _uart.In(MSR).Should().Be(0x13, "RTS is CTS");
        _uart.Out(MCR, 0x14);
        _uart.In(MSR).Should().Be(0x41, "OUT1 is RI; its leading edge does not count");
        _uart.Out(MCR, 0x18);
        _uart.In(MSR).Should().Be(0x8C, "OUT2 is DCD, and RI fell");
        _uart.Out(MCR, 0x00);
        _uart.In(MSR).Should().Be(0xB3);
        _uart.In(MSR).Should().Be(0xB0, "deltas are reported once");
    }
}
