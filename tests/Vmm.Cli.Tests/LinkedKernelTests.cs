namespace Vmm.Cli.Tests;

/// <summary>Kernels as the system's compiler and linker make them.</summary>
public sealed class LinkedKernelTests
{
    private const string ExitWith42 = "mov $42, %al\n mov $0x501, %dx\n out %al, %dx\n 1: hlt\n jmp 1b\n";

    public LinkedKernelTests()
    {
        Host.RequireKvm();
        Host.RequireTool("gcc");
    }

    [Fact]
    public void FlatKernelLinkedTo1MiB_ElfHeadersInThePageBelow_Boots()
    {
        using TemporaryFolder folder = new();
        string kernel = AssembledKernel.Build(folder, ExitWith42);

        (int code, _, string error) = VmmProcess.Run("run", "--kernel", kernel);

        code.Should().Be(42, error);
    }

    [Fact]
    public void PvhNote_InASegmentOrInASectionAlone_IsTakenOrRefused()
    {
        const string Source = $"""
            .globl _start
            _start:
            .code32
            {ExitWith42}
            .section .note.Xen, "a", @note
            .long 4, 4, 18
            .asciz "Xen"
            .long _start

            """;
        const string Sections = "SECTIONS { . = 0x100000; .text : { *(.text) } :text .note : { *(.note.Xen) } :text NOTE /DISCARD/ : { *(.note.gnu*) } }";
        using TemporaryFolder folder = new();
        string script = folder["kernel.ld"];

        File.WriteAllText(script, "ENTRY(_start) PHDRS { text PT_LOAD; note PT_NOTE; } " + Sections.Replace("NOTE", ":note", StringComparison.Ordinal));
        (int code, _, string error) = VmmProcess.Run("run", "--log-level", "info", "--kernel", AssembledKernel.Link(folder, Source, "-T", script));
        code.Should().Be(42, error);
        error.Should().Contain("kernel begins at its PVH entry 0x100000");

        File.WriteAllText(script, "ENTRY(_start) PHDRS { text PT_LOAD; } " + Sections.Replace("NOTE", "", StringComparison.Ordinal));
        (code, _, error) = VmmProcess.Run("run", "--kernel", AssembledKernel.Link(folder, Source, "-T", script));
        code.Should().Be(ExitCode.HostError, error);
        error.Should().MatchRegex(@"^vmm: .*kernel: its PVH note is in section \d+ \(SHT_NOTE\), but in no PT_NOTE program header.*\n$");
    }
}
