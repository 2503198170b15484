using Vmm.Core.Bus;
using Vmm.Core.Devices.Panic;
using Vmm.Core.Devices.Power;
using Vmm.Core.Machine;
using Vmm.Testing.Virtio;

namespace Vmm.Core.Tests.Devices;

/// <summary>ACPI's registers and pvpanic, on buses as the machine has them.</summary>
public sealed class PowerDeviceTests
{
    private readonly AddressBus _ports = new("ports");
    private readonly AddressBus _mmio = new("MMIO");
    private readonly MachineLifetime _lifetime = new();
    private readonly RecordingInterruptLine _line = new();
    private readonly PowerDevice _power;

    public PowerDeviceTests()
    {
        _power = new PowerDevice(_lifetime, _line);
        _mmio.Add(MachineLayout.EventRegister, MachineLayout.EventRegisterSize, _power.EventRegister);
        _mmio.Add(MachineLayout.PowerRegisters, MachineLayout.PowerRegistersSize, _power.Registers);
        _ports.Add(MachineLayout.PanicPort, 1, new PanicDevice(_lifetime));
    }

    [Fact]
    public async Task SleepControl_S5WithSleepEnable_PowersOff()
    {
        _mmio.Write(0xFEA0_0200, [5 << 2]);
        _lifetime.HasEnded.Should().BeFalse("SLP_EN is not set");
        _mmio.Write(0xFEA0_0200, [3 << 2 | 1 << 5]);
        _lifetime.HasEnded.Should().BeFalse("there is no S3");
        _mmio.Write(0xFEA0_0201, [0x34]);
        _lifetime.HasEnded.Should().BeFalse("that is the status register");
        _mmio.Write(0xFEA0_0200, [0x34]);
        (await _lifetime.Completion).Should().Be(new GuestEnd(GuestEndCause.PowerOff));
    }

    [Fact]
    public async Task ResetRegister_ItsValue_Resets()
    {
        _mmio.Write(0xFEA0_0202, [0x41]);
        _lifetime.HasEnded.Should().BeFalse();
        _mmio.Write(0xFEA0_0202, [0x42]);
        (await _lifetime.Completion).Should().Be(new GuestEnd(GuestEndCause.Reset));
    }

    [Fact]
    public void PressButton_RaisesTheLineUntilTheEventIsRead()
    {
        ReadEvents().Should().Be(0);
        _power.PressButton();
        _power.PressButton();
        _line.IsRaised.Should().BeTrue();
        ReadEvents().Should().Be(2);
        _line.IsRaised.Should().BeFalse();
        ReadEvents().Should().Be(0, "reading clears it");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(8)]
    public void EventRegister_OtherWidth_ReadsAsNothingAndClearsNothing(int width)
    {
        _power.PressButton();
        byte[] data = new byte[width];
        _mmio.Read(0xFEA0_0000, data);
        data.Should().OnlyContain(b => b == 0xFF);
        ReadEvents().Should().Be(2);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Panic_OtherEvents_GoOn(byte value)
    {
        _ports.Write(0x505, [value]);
        _lifetime.HasEnded.Should().BeFalse();
    }

    [Fact]
    public async Task Panic_Panicked_Ends()
    {
        byte[] data = [0];
        _ports.Read(0x505, data);
        data.Should().Equal([3], "the events that are understood");
        _ports.Write(0x505, [1]);
        (await _lifetime.Completion).Should().Be(new GuestEnd(GuestEndCause.Panic));
    }

    private uint ReadEvents()
    {
        byte[] data = new byte[4];
        _mmio.Read(0xFEA0_0000, data);
        return BitConverter.ToUInt32(data);
    }
}
