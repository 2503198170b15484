using CsCheck;
using Vmm.Core.Devices.Uart;
using Vmm.Testing;
using static Vmm.Core.Tests.Devices.Uart.UartFixture;

namespace Vmm.Core.Tests.Devices.Uart;

public sealed class UartDataTests
{
    private readonly UartFixture _uart = new();

    [Fact]
    public void Receive_FullFifo_RefusesTheRestAndAsksWhenThereIsRoom()
    {
        _uart.Out(FCR, 0x01);
        _uart.Device.Receive(new byte[20]).Should().Be(16);
        _uart.Device.Receive(new byte[4]).Should().Be(0);
        _uart.Console.Resumed.Should().Be(0);
        _uart.In(LSR).Should().Be(0x61, "refused bytes are no overrun");
        _uart.Console.Resumed.Should().Be(0);
        _uart.In(RBR);
        _uart.Console.Resumed.Should().Be(1);
        _uart.In(RBR);
        _uart.Console.Resumed.Should().Be(1, "once per refusal");
        _uart.Device.Metrics.Should().Be(new UartMetrics(0, 16, 0));
    }

    [Fact]
    public void Receive_WithoutFifo_TakesOneByte()
    {
        _uart.Receive(1, 2).Should().Be(1);
        _uart.Receive(2).Should().Be(0);
        _uart.In(RBR).Should().Be(1);
        _uart.Console.Resumed.Should().Be(1);
        _uart.Receive(2).Should().Be(1);
    }

    [Fact]
    public void Receive_EnablingOrClearingTheFifo_MakesRoomAndAsks()
    {
        _uart.Receive(1, 2).Should().Be(1);
        _uart.Out(FCR, 0x01);
        _uart.Console.Resumed.Should().Be(1);
        _uart.In(LSR).Should().Be(0x60, "a change of the enable bit empties the FIFO");
        _uart.Device.Receive(new byte[17]).Should().Be(16);
        _uart.Out(FCR, 0x03);
        _uart.Console.Resumed.Should().Be(2);
        _uart.In(LSR).Should().Be(0x60);
        _uart.In(IIR).Should().Be(0xC1);
        _uart.Out(FCR, 0xC6);
        _uart.In(IIR).Should().Be(0x01, "without the enable bit the FIFO is off");
    }

    [Fact]
    public void Loopback_TransmittedBytes_AreReceivedAndDoNotLeave()
    {
        _uart.Out(FCR, 0x01);
        _uart.Out(MCR, 0x10);
        _uart.Receive((byte)'h').Should().Be(0, "the line is cut");
        for (int i = 0; i < 18; i++)
        {
            _uart.Out(THR, i);
        }

        _uart.In(LSR).Should().Be(0x63, "two overran");
        _uart.In(LSR).Should().Be(0x61, "reading LSR clears the overrun");
        for (int i = 0; i < 16; i++)
        {
            _uart.In(RBR).Should().Be((byte)i);
        }

        _uart.In(RBR).Should().Be(0, "empty");
        _uart.Console.Written.Should().BeEmpty();
        _uart.Console.Resumed.Should().Be(0);
        _uart.Out(MCR, 0x00);
        _uart.Console.Resumed.Should().Be(1, "the line is back");
        _uart.Device.Metrics.Should().Be(new UartMetrics(0, 0, 2));
    }

    [Fact]
    public void Divisor_IsBehindDlabAndDoesNotDisturbDataAndIer()
    {
        _uart.Out(IER, 0x05);
        _uart.Out(LCR, 0x83);
        _uart.In(DLL).Should().Be(12);
        _uart.Out(DLL, 0x34);
        _uart.Out(DLM, 0x12);
        _uart.In(DLL).Should().Be(0x34);
        _uart.In(DLM).Should().Be(0x12);
        _uart.In(LCR).Should().Be(0x83);
        _uart.Out(LCR, 0x03);
        _uart.In(IER).Should().Be(0x05);
        _uart.In(RBR).Should().Be(0);
        _uart.Console.Written.Should().BeEmpty();
    }

    [Fact]
    public void Access_OfSeveralBytes_IsOneAccessPerRegister()
    {
        _uart.Device.Write(SCR, [0x5A, 0x77]);
        _uart.In(SCR).Should().Be(0x5A);
        byte[] data = [0xFF, 0xFF, 0xFF, 0xFF];
        _uart.Device.Read(LSR, data);
        data.Should().Equal(0x60, 0xB0, 0x5A, 0xFF);
    }

    [Fact]
    public void Write_Character_AllocatesNothing()
    {
        AllocationMeter meter = new();
        while (meter.WantsMore)
        {
            meter.Measure(() =>
            {
                _uart.Out(THR, 'a');
                _uart.In(LSR);
                _uart.Device.Receive("b"u8);
                _uart.In(RBR);
            });
        }

        meter.Least.Should().Be(0);
    }

    [Fact]
    public void AnyAccesses_KeepTheLineEqualToIir()
    {
        Gen.Select(Gen.Int[0, 2], Gen.Int[0, 7], Gen.Byte).Array[0, 200].Sample(steps =>
        {
            UartFixture uart = new();
            foreach ((int kind, int register, byte value) in steps)
            {
                switch (kind)
                {
                    case 0:
                        uart.Out(register, value);
                        break;
                    case 1:
                        uart.In(register);
                        break;
                    default:
                        uart.Receive(value, value, value);
                        break;
                }

                bool level = uart.Line.Level;
                ((uart.In(IIR) & 1) == 0).Should().Be(level);
            }
        }, iter: 300, threads: 1);
    }
}
