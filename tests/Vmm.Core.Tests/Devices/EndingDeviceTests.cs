using Vmm.Core.Bus;
using Vmm.Core.Devices.DebugExit;
using Vmm.Core.Devices.I8042;
using Vmm.Core.Machine;

namespace Vmm.Core.Tests.Devices;

/// <summary>The devices by which a guest ends its machine, on a bus as the machine has it.</summary>
public sealed class EndingDeviceTests
{
    private readonly AddressBus _ports = new("ports");
    private readonly MachineLifetime _lifetime = new();

    public EndingDeviceTests()
    {
        I8042Device keyboard = new(_lifetime);
        _ports.Add(MachineLayout.KeyboardDataPort, 1, keyboard.DataPort);
        _ports.Add(MachineLayout.KeyboardCommandPort, 1, keyboard.CommandPort);
        _ports.Add(MachineLayout.DebugExitPort, MachineLayout.DebugExitPortCount, new DebugExitDevice(_lifetime));
    }

    [Fact]
    public async Task I8042_PulseOfTheResetLine_EndsWithReset()
    {
        _ports.Write(0x64, [0xFE]);
        _lifetime.HasEnded.Should().BeTrue();
        (await _lifetime.Completion).Should().Be(new GuestEnd(GuestEndCause.Reset));
    }

    [Theory]
    [InlineData(0x64, 0xFF)]
    [InlineData(0x64, 0xD1)]
    [InlineData(0x64, 0xAA)]
    [InlineData(0x64, 0x20)]
    [InlineData(0x60, 0xFE)]
    public void I8042_AnythingElse_DoesNotEnd(int port, int value)
    {
        _ports.Write((ulong)port, [(byte)value]);
        _lifetime.HasEnded.Should().BeFalse();
    }

    [Theory]
    [InlineData(0x60)]
    [InlineData(0x64)]
    public void I8042_Read_BuffersAreEmpty(int port)
    {
        byte[] data = [0x77];
        _ports.Read((ulong)port, data);
        data.Should().Equal(0);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(42, 1)]
    [InlineData(0x1FF, 2)]
    [InlineData(0x12345607, 4)]
    public async Task DebugExit_AnyWidth_LowByteIsTheStatus(int value, int width)
    {
        _ports.Write(0x501, BitConverter.GetBytes(value).AsSpan(0, width));
        _ports.Write(0x64, [0xFE]);
        (await _lifetime.Completion).Should().Be(new GuestEnd(GuestEndCause.DebugExit, (byte)value), "the first end counts");
    }

    [Fact]
    public void DebugExit_ReadOrOtherPort_DoesNotEnd()
    {
        byte[] data = [0];
        _ports.Read(0x501, data);
        data.Should().Equal(0xFF);
        _ports.Write(0x502, [1]);
        _lifetime.HasEnded.Should().BeFalse();
    }
}
