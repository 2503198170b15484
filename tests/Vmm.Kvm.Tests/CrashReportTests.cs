using Iced.Intel;
using Vmm.Core.Machine;
using Vmm.Core.Memory;
using Vmm.Kvm.Native;
using Vmm.Kvm.Report;
using Vmm.Kvm.Tests.Guests;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Kvm.Tests;

public class CrashReportTests
{
    [Fact]
    public void TripleFault_In32BitMode_EndsWithAReportOfTheInstruction()
    {
        using var machine = new GuestMachine();
        machine.Start32(c =>
        {
            c.mov(ecx, 0x1234);
            c.mov(ebx, 0xABCD);
            c.ud2();
        });

        GuestEnd end = machine.WaitForEnd();

        end.Cause.Should().Be(GuestEndCause.TripleFault);
        end.Report.Should().StartWith("vCPU 0: triple fault");
        if (machine.Vm.Limitation is not null)
        {
            // AMD's hardware resets the registers before anyone can read them.
            end.Report.Should().Contain("rip=000000000010000a").And.Contain("rcx=0000000000001234").And.Contain("no paging");
            end.Report.Should().MatchRegex("=> 000000000010000a  0f0b +ud2").And.MatchRegex("   0000000000100005  bbcdab0000 +mov ebx,0ABCDh");
        }
    }

    [Fact]
    public void EmulationFailure_InLongMode_ReportsThePageWalkAndTheCode()
    {
        using var machine = new GuestMachine();
        if (machine.Vm.Limitation is null)
        {
            Assert.Skip("needs a KVM that emulates kernel code: hardware runs this instruction");
        }

        machine.Start64(c =>
        {
            c.mov(rax, 0x1122334455667788);
            c.addps(xmm0, xmm1);
            c.hlt();
        });

        GuestEnd end = machine.WaitForEnd();

        end.Cause.Should().Be(GuestEndCause.Crash);
        end.Report.Should().StartWith("vCPU 0: KVM_EXIT_INTERNAL_ERROR 1: KVM could not emulate an instruction");
        end.Report.Should().Contain("rax=1122334455667788").And.Contain("4-level paging, CR3 0x1000");
        end.Report.Should().MatchRegex(@"PML4E \[  0\] at 0x1000: 0x[0-9a-f]{16} present writable").And.MatchRegex(@"PDE   \[  0\] at 0x3000: .* large");
        end.Report.Should().Contain("-> guest-physical 0x10000a").And.MatchRegex("=> 000000000010000a  0f58c1 +addps xmm0,xmm1");
        end.Report.Should().MatchRegex("   0000000000100000  48b88877665544332211 +mov rax,1122334455667788h");
        end.Report.Should().Contain("note: ");
    }

    [Fact]
    public void CodeThatRunsIntoNowhere_IsReportedWithoutCode()
    {
        using var machine = new GuestMachine();
        machine.Start32(c =>
        {
            c.mov(eax, 0x7000_0000);
            c.jmp(eax);
        });

        GuestEnd end = machine.WaitForEnd();

        end.Cause.Should().BeOneOf(GuestEndCause.Crash, GuestEndCause.TripleFault);
        end.Report.Should().Contain("0000000070000000").And.Contain("no RAM");
    }

    [Fact]
    public void Crash_OfOneCpu_StopsTheOthers()
    {
        using var machine = new GuestMachine();
        machine.Load(0x8000, 16, c =>
        {
            c.inc(__word_ptr[0x9000]);
            Label again = c.CreateLabel();
            c.Label(ref again);
            c.inc(__dword_ptr[0x9004]);
            c.jmp(again);
        });
        machine.Start32(
            c =>
            {
                c.mov(__dword_ptr[0xFEE0_00F0], 0x1FF);
                c.mov(__dword_ptr[0xFEE0_0300], 0x000C_4500);
                c.mov(__dword_ptr[0xFEE0_0300], 0x000C_4608);
                Label wait = c.CreateLabel();
                c.Label(ref wait);
                c.pause();
                c.cmp(__word_ptr[0x9000], 1);
                c.jne(wait);
                c.ud2();
            },
            cpuCount: 2);

        machine.WaitForEnd().Cause.Should().Be(GuestEndCause.TripleFault);

        // The other vCPU counts until it is stopped, without anyone disposing of the machine.
        SpinWait.SpinUntil(
            () =>
            {
                uint before = machine.Get<uint>(0x9004);
                Thread.Sleep(20);
                return machine.Get<uint>(0x9004) == before;
            },
            TimeSpan.FromSeconds(30)).Should().BeTrue();
    }

    [Theory]
    [InlineData(0UL, 0UL, 0UL, 0x12345UL, 0x12345UL, "no paging")]
    [InlineData(0x8000_0000UL, 0x10UL, 0UL, 0x0040_3123UL, 0x7123UL, "32-bit paging")]
    [InlineData(0x8000_0000UL, 0x10UL, 0UL, 0x0080_1234UL, 0x0040_1234UL, "large")]
    [InlineData(0x8000_0000UL, 0x20UL, 0UL, 0x4020_3123UL, 0x9123UL, "PAE paging")]
    [InlineData(0x8000_0000UL, 0x20UL, 0x500UL, 0x4020_3123UL, 0x9123UL, "4-level paging")]
    [InlineData(0x8000_0000UL, 0x1020UL, 0x500UL, 0x4020_3123UL, 0x9123UL, "5-level paging")]
    [InlineData(0x8000_0000UL, 0x20UL, 0x500UL, 0x4040_0000UL, null, "NOT PRESENT")]
    public void PageWalk_OfEachMode_FindsThePageAndSaysHow(ulong cr0, ulong cr4, ulong efer, ulong linear, ulong? expected, string word)
    {
        using GuestMemory memory = GuestMemory.Create(new GuestMemoryOptions(1 << 20));
        void Put(ulong address, ulong value) => memory.TryWrite(new GuestAddress(address), value).Should().BeTrue();
        bool is32 = (cr4 & 0x20) == 0;
        ulong cr3 = 0x1000;
        if (is32)
        {
            memory.TryWrite(new GuestAddress(0x1000 + 1 * 4), 0x2003u);
            memory.TryWrite(new GuestAddress(0x1000 + 2 * 4), 0x0040_0083u);
            memory.TryWrite(new GuestAddress(0x2000 + 3 * 4), 0x7003u);
        }
        else
        {
            // Linear 0x4020_3123: PDPTE 1, PDE 1, PTE 3.
            Put(0x5000, 0x1003); // PML5E 0
            Put(0x1000, 0x3003); // PML4E 0
            Put(0x3008, 0x4003); // PDPTE 1
            Put(0x4008, 0x6003); // PDE 1
            Put(0x6018, 0x9003); // PTE 3
            cr3 = efer == 0 ? 0x3000u : (cr4 & 0x1000) != 0 ? 0x5000u : 0x1000u;
        }

        var walk = new PageWalk(memory, new kvm_sregs { cr0 = cr0, cr3 = cr3, cr4 = cr4, efer = efer });
        var text = new System.Text.StringBuilder();
        walk.Write(text, linear);

        walk.Translate(linear).Should().Be(expected);
        text.ToString().Should().Contain(word);
    }

    [Fact]
    public void ShutdownByAnotherThread_StopsTheGuestWithoutAReport()
    {
        using var machine = new GuestMachine();
        machine.Start32(c =>
        {
            Label again = c.CreateLabel();
            c.Label(ref again);
            c.jmp(again);
        });

        machine.Lifetime.End(new GuestEnd(GuestEndCause.Stopped)).Should().BeTrue();

        machine.Vm.Dispose();
        machine.WaitForEnd().Cause.Should().Be(GuestEndCause.Stopped);
    }
}
