namespace Vmm.Cli.Tests;

/// <summary>vCPUs beyond the first.</summary>
public sealed class ProcessorTests
{
    /// <summary>Starts APIC 1 to 3 one after the other; each sets the bit of its own number, and the bits are the exit code.</summary>
    private const string StartThree = """
            lea processor(%rip), %rsi
            mov $0x8000, %edi
            mov $(processor_end - processor), %ecx
            rep movsb
            movl $0, 0x7000
            mov $0xfee00000, %ebx
            movl $0x1ff, 0xf0(%rbx)     # spurious-interrupt vector register: APIC on
            mov $1, %ebp
        1:  mov %ebp, %eax
            shl $24, %eax
            mov %eax, 0x310(%rbx)       # interrupt command register: destination
            movl $0x4500, 0x300(%rbx)   # INIT
            mov $2000, %ecx
        2:  pause
            loop 2b
            movl $0x4608, 0x300(%rbx)   # start-up, at 0x08000
        3:  pause
            bt %ebp, 0x7000
            jnc 3b
            inc %ebp
            cmp $4, %ebp
            jne 1b
            mov 0x7000, %eax
            mov $0x501, %dx
            out %al, %dx
        4:  hlt
            jmp 4b

            .code16
        processor:
            mov $1, %eax
            cpuid
            shr $24, %ebx               # its APIC's number
            xor %ax, %ax
            mov %ax, %ds
            lock btsl %ebx, 0x7000
        5:  hlt
            jmp 5b
        processor_end:
        """;

    public ProcessorTests() => Host.RequireKvm();

    [Fact]
    public void ApplicationProcessors_AreStartedByInitAndStartUp_EachAsItself()
    {
        using TemporaryFolder folder = new();

        (int code, _, string error) = VmmProcess.Run("run", "--kernel", AssembledKernel.Build(folder, StartThree), "--cpus", "4", "--log-level", "error");

        code.Should().Be(0b1110, error);
    }
}
