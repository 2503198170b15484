using System.Diagnostics.CodeAnalysis;
using Tmds.Linux;
using Vmm.Core.Linux;

namespace Vmm.Core.Consoles;

/// <summary>A listening stream socket in the file system; its name goes when it is disposed, if it is still its own.</summary>
internal sealed unsafe class UnixListener : IDisposable
{
    private const int Backlog = 4;

    private readonly UnixSocketFile _file;

    public UnixListener(string path)
    {
        Path = path;
        Socket = Create(path);
        try
        {
            _file = UnixSocketFile.Bind(Socket, path);
            LinuxException.ThrowIfFailed(LibC.listen(Socket.Number, Backlog), "listen", path);
        }
        catch
        {
            _file?.Remove();
            Socket.Dispose();
            throw;
        }
    }

    public string Path { get; }

    public FileDescriptor Socket { get; }

    /// <summary>False when nobody waits any more.</summary>
    public bool TryAccept([NotNullWhen(true)] out FileDescriptor? client)
    {
        int fd = LibC.accept4(Socket.Number, null, null, LibC.SOCK_CLOEXEC | LibC.SOCK_NONBLOCK);
        client = fd < 0 ? null : new FileDescriptor(fd);
        return client is not null;
    }

    public void Dispose()
    {
        if (!Socket.IsClosed)
        {
            _file.Remove();
            Socket.Dispose();
        }
    }

    private static FileDescriptor Create(string path)
        => new(LinuxException.ThrowIfFailed(LibC.socket(LibC.AF_UNIX, LibC.SOCK_STREAM | LibC.SOCK_CLOEXEC | LibC.SOCK_NONBLOCK, 0), "socket", path));
}
