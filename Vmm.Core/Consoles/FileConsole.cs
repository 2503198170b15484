using Tmds.Linux;
using Vmm.Core.Events;
using Vmm.Core.Linux;

namespace Vmm.Core.Consoles;

/// <summary>Output into a file, which begins empty; no input.</summary>
internal sealed class FileConsole : DescriptorConsole
{
    private readonly FileDescriptor _file;

    public FileConsole(EventLoop loop, string path) : base(loop, $"file {path}")
    {
        try
        {
            // Non-blocking for the sake of FIFOs; a regular file does not care.
            _file = FileDescriptor.Open(
                path, LibC.O_WRONLY | LibC.O_CREAT | LibC.O_TRUNC | LibC.O_NONBLOCK | LibC.O_NOCTTY, "Give a path that may be written with --console file:PATH.");
        }
        catch
        {
            Output.Dispose();
            throw;
        }

        Output.Attach(_file);
    }

    /// <summary>Goes on with a file that another process has opened.</summary>
    public FileConsole(EventLoop loop, string path, FileDescriptor file) : base(loop, $"file {path}")
    {
        _file = file;
        Output.Attach(_file);
    }

    protected override IReadOnlyList<FileDescriptor> Files => [_file];

    public override void Dispose()
    {
        base.Dispose();
        _file.Dispose();
    }
}
