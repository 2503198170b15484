namespace Vmm.Cli.Tests;

/// <summary>What hvm_start_info gives a kernel: its boot module and its command line.</summary>
public sealed class StartInfoTests : IDisposable
{
    /// <summary>Writes the first module to COM1 and ends with the number of modules.</summary>
    private const string PrintModule = """
            mov 12(%rsi), %ebx          # nr_modules
            test %ebx, %ebx
            jz 1f
            mov 16(%rsi), %rax          # modlist_paddr
            mov 8(%rax), %rcx           # hvm_modlist_entry.size
            mov (%rax), %rsi            # hvm_modlist_entry.paddr
            mov $0x3f8, %dx
            rep outsb
        1:  mov %ebx, %eax
            mov $0x501, %dx
            out %al, %dx
        2:  hlt
            jmp 2b
        """;

    /// <summary>Writes the command line to COM1 and ends with the first byte of the first device's registers, which read "virt".</summary>
    private const string PrintCommandLine = """
            mov 24(%rsi), %rsi          # cmdline_paddr
            mov $0x3f8, %dx
        1:  lodsb
            test %al, %al
            jz 2f
            out %al, %dx
            jmp 1b
        2:  mov $0xfeb00000, %ebx
            mov (%rbx), %eax            # MagicValue
            mov $0x501, %dx
            out %al, %dx
        3:  hlt
            jmp 3b
        """;

    private readonly TemporaryFolder _folder = new();

    public StartInfoTests() => Host.RequireKvm();

    [Fact]
    public void Initrd_OfAnOddLength_ReachesTheGuestByteForByte()
    {
        byte[] content = new byte[20_003];
        Random random = new(20_003);
        for (int i = 0; i < content.Length; i++)
        {
            content[i] = (byte)random.Next(' ', '~');
        }

        (int code, string output, string error) = VmmProcess.Run(
            "run", "--kernel", AssembledKernel.Build(_folder, PrintModule), "--initrd", _folder.Write("initrd", content), "--log-level", "error");

        code.Should().Be(1, error);
        output.Should().Be(System.Text.Encoding.ASCII.GetString(content));
    }

    [Fact]
    public void Initrd_IsNotGiven_GuestHasNoModule()
    {
        (int code, string output, string error) = VmmProcess.Run("run", "--kernel", AssembledKernel.Build(_folder, PrintModule), "--log-level", "error");

        code.Should().Be(0, error);
        output.Should().BeEmpty();
    }

    [Theory]
    [InlineData("--no-virtio-mmio-cmdline", "one two=3")]
    [InlineData("--rng=off", "one two=3 virtio_mmio.device=512@0xfeb00000:5 virtio_mmio.device=512@0xfeb01000:6")]
    [InlineData("--name=x", "one two=3 virtio_mmio.device=512@0xfeb00000:5 virtio_mmio.device=512@0xfeb01000:6 virtio_mmio.device=512@0xfeb02000:7")]
    public void CommandLine_NamesTheDevicesUnlessToldNotTo_AndTheyAreThereAnyway(string option, string expected)
    {
        (int code, string output, string error) = VmmProcess.Run(
            "run", "--kernel", AssembledKernel.Build(_folder, PrintCommandLine), "--append", "one two=3", "--net", "none", "--net", "none", option, "--log-level", "error");

        output.Should().Be(expected, error);
        code.Should().Be('v');
    }

    public void Dispose() => _folder.Dispose();
}
