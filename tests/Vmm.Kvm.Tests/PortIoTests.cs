using System.Buffers.Binary;
using Vmm.Core.Machine;
using Vmm.Kvm.Tests.Guests;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Kvm.Tests;

public class PortIoTests
{
    [Fact]
    public void PortWrite_OfEachWidth_ReachesTheDeviceWithItsBytes()
    {
        using var machine = new GuestMachine();
        var seen = new List<(ulong Offset, string Bytes)>();
        machine.Ports.Add(0x600, 8, new TestDevice { OnWrite = (offset, data) => seen.Add((offset, Convert.ToHexString(data))) });
        machine.Start32(c =>
        {
            c.mov(dx, 0x601);
            c.mov(eax, 0x11223344);
            c.@out(dx, al);
            c.@out(dx, ax);
            c.@out(dx, eax);
            GuestMachine.Exit(c, 7);
        });

        GuestEnd end = machine.WaitForEnd();

        end.Cause.Should().Be(GuestEndCause.DebugExit, end.Report);
        end.Status.Should().Be(7);
        seen.Should().Equal((1UL, "44"), (1UL, "4433"), (1UL, "44332211"));
    }

    [Fact]
    public void PortRead_OfEachWidth_GivesTheGuestTheDevicesValue()
    {
        using var machine = new GuestMachine();
        machine.Ports.Add(0x600, 4, new TestDevice { OnRead = (_, data) => new byte[] { 0x78, 0x56, 0x34, 0x12 }.AsSpan(0, data.Length).CopyTo(data) });
        machine.Start32(c =>
        {
            c.mov(dx, 0x600);
            c.xor(eax, eax);
            c.@in(al, dx);
            c.mov(__dword_ptr[0x2000], eax);
            c.@in(ax, dx);
            c.mov(__dword_ptr[0x2004], eax);
            c.@in(eax, dx);
            c.mov(__dword_ptr[0x2008], eax);
            c.mov(dx, 0x700);
            c.@in(eax, dx);
            c.mov(__dword_ptr[0x200C], eax);
            GuestMachine.Exit(c, 0);
        });

        machine.WaitForEnd();

        machine.Get<uint>(0x2000).Should().Be(0x78);
        machine.Get<uint>(0x2004).Should().Be(0x5678);
        machine.Get<uint>(0x2008).Should().Be(0x12345678);
        machine.Get<uint>(0x200C).Should().Be(0xFFFFFFFF, "an empty port reads as all ones");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void StringOut_OfManyElements_ReachesTheDeviceElementByElement(int width)
    {
        const int Count = 3000;
        using var machine = new GuestMachine();
        var seen = new List<byte>();
        int calls = 0;
        machine.Ports.Add(0x600, 4, new TestDevice
        {
            OnWrite = (_, data) =>
            {
                data.Length.Should().Be(width);
                seen.AddRange(data);
                calls++;
            },
        });
        byte[] text = new byte[Count * width];
        new Random(1).NextBytes(text);
        machine.Memory.Write(new Core.Memory.GuestAddress(0x20_0000), text);
        machine.Start32(c =>
        {
            c.mov(esi, 0x20_0000);
            c.mov(ecx, Count);
            c.mov(dx, 0x600);
            c.cld();
            switch (width)
            {
                case 1:
                    c.rep.outsb();
                    break;
                case 2:
                    c.rep.outsw();
                    break;
                default:
                    c.rep.outsd();
                    break;
            }

            GuestMachine.Exit(c, 0);
        });

        machine.WaitForEnd().Cause.Should().Be(GuestEndCause.DebugExit);

        calls.Should().Be(Count);
        seen.Should().Equal(text);
    }

    [Fact]
    public void StringIn_OfManyElements_FillsGuestRam()
    {
        const int Count = 3000;
        using var machine = new GuestMachine();
        ushort next = 0;
        machine.Ports.Add(0x600, 2, new TestDevice { OnRead = (_, data) => BinaryPrimitives.WriteUInt16LittleEndian(data, next++) });
        machine.Start32(c =>
        {
            c.mov(edi, 0x20_0000);
            c.mov(ecx, Count);
            c.mov(dx, 0x600);
            c.cld();
            c.rep.insw();
            GuestMachine.Exit(c, 0);
        });

        machine.WaitForEnd().Cause.Should().Be(GuestEndCause.DebugExit);

        next.Should().Be(Count);
        Enumerable.Range(0, Count).Select(i => machine.Get<ushort>(0x20_0000 + (ulong)i * 2)).Should().Equal(Enumerable.Range(0, Count).Select(i => (ushort)i));
    }
}
