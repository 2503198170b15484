using System.Buffers.Binary;
using Iced.Intel;
using Vmm.Core.Machine;
using Vmm.Kvm.Tests.Guests;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Kvm.Tests;

public class MmioTests
{
    [Fact]
    public void Mmio_WritesAndReadsOfEachWidth_RoundTrip()
    {
        using var machine = new GuestMachine();
        var seen = new List<(ulong Offset, string Bytes)>();
        byte[] registers = new byte[64];
        machine.Mmio.Add(GuestMachine.MmioAddress, 64, new TestDevice
        {
            OnWrite = (offset, data) =>
            {
                seen.Add((offset, Convert.ToHexString(data)));
                data.CopyTo(registers.AsSpan((int)offset));
            },
            OnRead = (offset, data) => registers.AsSpan((int)offset, data.Length).CopyTo(data),
        });
        machine.Start64(c =>
        {
            c.mov(rbx, GuestMachine.MmioAddress);
            c.mov(rax, 0x1122334455667788);
            c.mov(__byte_ptr[rbx], al);
            c.mov(__word_ptr[rbx + 8], ax);
            c.mov(__dword_ptr[rbx + 16], eax);
            c.mov(__qword_ptr[rbx + 24], rax);
            c.mov(rcx, __qword_ptr[rbx + 24]);
            c.mov(__qword_ptr[0x10000], rcx);
            c.movzx(ecx, __byte_ptr[rbx]);
            c.mov(__qword_ptr[0x10008], rcx);
            GuestMachine.Exit(c, 0);
        });

        GuestEnd end = machine.WaitForEnd();

        end.Cause.Should().Be(GuestEndCause.DebugExit, end.Report);
        seen.Should().Equal((0UL, "88"), (8UL, "8877"), (16UL, "88776655"), (24UL, "8877665544332211"));
        machine.Get<ulong>(0x10000).Should().Be(0x1122334455667788);
        machine.Get<ulong>(0x10008).Should().Be(0x88);
    }

    [Fact]
    public void Mmio_WhereNothingIs_ReadsAllOnes()
    {
        using var machine = new GuestMachine();
        machine.Start64(c =>
        {
            c.mov(rbx, GuestMachine.MmioAddress);
            c.mov(__dword_ptr[rbx], 5);
            c.mov(ecx, __dword_ptr[rbx]);
            c.mov(__dword_ptr[0x10000], ecx);
            GuestMachine.Exit(c, 0);
        });

        machine.WaitForEnd().Cause.Should().Be(GuestEndCause.DebugExit);

        machine.Get<uint>(0x10000).Should().Be(0xFFFFFFFF);
        machine.Mmio.OpenBusAccesses.Should().Be(2);
    }

    [Fact]
    public void Mmio_CopyLoopFromTheDevice_KeepsTheOrder()
    {
        using var machine = new GuestMachine();
        uint next = 0;
        machine.Mmio.Add(GuestMachine.MmioAddress, 4, new TestDevice { OnRead = (_, data) => BinaryPrimitives.WriteUInt32LittleEndian(data, next++) });
        machine.Start64(c =>
        {
            c.mov(rbx, GuestMachine.MmioAddress);
            c.mov(edi, 0x20_0000);
            c.mov(ecx, 500);
            Label again = c.CreateLabel();
            c.Label(ref again);
            c.mov(eax, __dword_ptr[rbx]);
            c.mov(__dword_ptr[rdi], eax);
            c.add(rdi, 4);
            c.dec(ecx);
            c.jne(again);
            GuestMachine.Exit(c, 0);
        });

        machine.WaitForEnd().Cause.Should().Be(GuestEndCause.DebugExit);

        Enumerable.Range(0, 500).Select(i => machine.Get<uint>(0x20_0000 + (ulong)i * 4)).Should().Equal(Enumerable.Range(0, 500).Select(i => (uint)i));
    }
}
