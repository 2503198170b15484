using System.Globalization;

namespace Vmm.Cli.Tests;

/// <summary>Guest RAM: where the guest finds it, and what the host gives for it.</summary>
public sealed class MemoryTests
{
    private const long MiB = 1 << 20;

    /// <summary>
    /// Maps what is above 4 GiB, writes its own address to every 64 MiB of RAM and to the last 8 bytes, and then counts, as its exit code,
    /// the places that still have it.
    /// </summary>
    private const string WriteAndCount = """
            mov 40(%rsi), %rax          # memmap_paddr
            mov 48(%rsi), %ecx          # memmap_entries
            imul $24, %ecx, %ecx
            mov -24(%rax,%rcx), %r8     # the last entry's address
            mov -16(%rax,%rcx), %r9     # and its size
            add %r8, %r9
            mov $0xc0000000, %r10d      # where low RAM ends

            mov $0x200000, %edi         # four page directories for 4 GiB to 8 GiB
            mov $0x100000083, %rax
            mov $2048, %ecx
        1:  mov %rax, (%rdi)
            add $8, %rdi
            add $0x200000, %rax
            loop 1b
            mov %cr3, %rbx
            mov (%rbx), %rbx
            and $-4096, %rbx
            mov $0x200003, %eax
            mov $4, %ecx
        2:  mov %rax, 32(%rbx)
            add $8, %rbx
            add $0x1000, %eax
            loop 2b
            mov %cr3, %rax
            mov %rax, %cr3

            mov $0x4000000, %edi
        3:  mov %rdi, (%rdi)
            add $0x4000000, %rdi
            cmp %r10, %rdi
            cmove %r8, %rdi
            cmp %r9, %rdi
            jne 3b
            mov %r9, -8(%r9)

            xor %ebx, %ebx
            mov $0x4000000, %edi
        4:  cmp %rdi, (%rdi)
            jne 5f
            inc %ebx
        5:  add $0x4000000, %rdi
            cmp %r10, %rdi
            cmove %r8, %rdi
            cmp %r9, %rdi
            jne 4b
            cmp %r9, -8(%r9)
            jne 6f
            inc %ebx
        6:  mov %ebx, %eax
            mov $0x501, %dx
            out %al, %dx
        7:  hlt
            jmp 7b
        """;

    public MemoryTests() => Host.RequireKvm();

    [Fact]
    public void FiveGigabytes_AreInTwoParts_EachPlaceItsOwn()
    {
        using TemporaryFolder folder = new();

        (int code, _, string error) = VmmProcess.Run("run", "--kernel", AssembledKernel.Build(folder, WriteAndCount), "--memory", "5G", "--log-level", "error");

        // All of 64 MiB, 128 MiB, ... up to 5 GiB less one step, and the end.
        code.Should().Be((5 * 1024 / 64) - 1 + 1, error);
    }

    [Fact]
    public void Prealloc_TakesAllRamBeforeTheGuestRuns()
    {
        const long Size = 128 * MiB;

        ResidentMemory("--prealloc").Should().BeGreaterThanOrEqualTo(Size);
        ResidentMemory("--name=x").Should().BeLessThan(Size / 2);

        static long ResidentMemory(string option)
        {
            using VmmProcess process = VmmProcess.Start("run", "--kernel", "demo", "--append", "hang", "--memory", "128M", option);
            process.WaitForOutput(DemoGuest.DemoGuestImage.Banner);
            string shared = File.ReadLines($"/proc/{process.Id}/status").Single(line => line.StartsWith("RssShmem:", StringComparison.Ordinal));
            return long.Parse(shared.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
        }
    }
}
