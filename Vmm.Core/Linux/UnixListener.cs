using System.Diagnostics.CodeAnalysis;
using Tmds.Linux;

namespace Vmm.Core.Linux;

/// <summary>A listening stream socket in the file system; its name goes when it is disposed, if it is still its own.</summary>
public sealed unsafe class UnixListener : IDisposable
{
    /// <summary>The most bytes that a path can have.</summary>
    public const int MaxPath = UnixSocketFile.MaxPath;

    private const int Backlog = 4;

    private readonly UnixSocketFile _file;

    /// <summary>Binds and listens; a socket that a killed process left there is replaced.</summary>
    /// <exception cref="LinuxException">A live socket or something else is there, or the directory refused.</exception>
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

    private UnixListener(FileDescriptor socket, string path)
    {
        Path = path;
        Socket = socket;
        _file = UnixSocketFile.Adopt(path);
    }

    /// <summary>Takes over a listening socket that another process has bound to <paramref name="path"/>; its name goes with this object now.</summary>
    public static UnixListener Adopt(FileDescriptor socket, string path) => new(socket, path);

    public string Path { get; }

    public FileDescriptor Socket { get; }

    /// <summary>False when nobody waits any more. The client does not block.</summary>
    public bool TryAccept([NotNullWhen(true)] out FileDescriptor? client)
    {
        int fd = LibC.accept4(Socket.Number, null, null, LibC.SOCK_CLOEXEC | LibC.SOCK_NONBLOCK);
        client = fd < 0 ? null : new FileDescriptor(fd);
        return client is not null;
    }

    /// <summary>Closes the socket here and leaves its name alone: another process listens on it now.</summary>
    public void Abandon() => Socket.Dispose();

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
