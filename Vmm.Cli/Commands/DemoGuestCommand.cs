using System.CommandLine;
using Vmm.DemoGuest;

namespace Vmm.Cli.Commands;

/// <summary><c>vmm demo-guest</c>: the demo guest as a file, for other virtual machine monitors.</summary>
internal sealed class DemoGuestCommand : Command, IExamples
{
    private readonly Option<string> _output = new("--output", "-o")
    {
        Description = "Where the ELF file goes; an existing one is replaced.",
        Required = true,
        HelpName = "file",
    };

    public DemoGuestCommand() : base("demo-guest", "Writes the demo guest as an ELF file with a PVH note, which other monitors can boot too.")
    {
        _output.Validators.Add(EmptyValue.Refuse);
        Add(_output);
        SetAction(Write);
    }

    public string Examples => """
        vmm demo-guest --output demo.elf
        qemu-system-x86_64 -M microvm,acpi=off -global virtio-mmio.force-legacy=false -nographic -kernel demo.elf
        """;

    private int Write(ParseResult parsed)
    {
        string path = parsed.GetRequiredValue(_output);
        try
        {
            File.WriteAllBytes(path, DemoGuestImage.Build());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new UserErrorException($"--output {path} can't be written: {e.Message} Choose a file in a folder that exists and that you may write to.");
        }

        return ExitCode.Success;
    }
}
