using System.Diagnostics.CodeAnalysis;
using System.Text;
using Tmds.Linux;
using Vmm.Core.Linux;

namespace Vmm.Core.Consoles;

/// <summary>A listening stream socket in the file system; its name goes when it is disposed.</summary>
internal sealed unsafe class UnixListener : IDisposable
{
    private const int Backlog = 4;

    public UnixListener(string path)
    {
        Path = path;
        Socket = Create(path);
        try
        {
            RemoveStale(path);
            sockaddr_un address = Address(path);
            LinuxException.ThrowIfFailed(
                LibC.bind(Socket.Number, (sockaddr*)&address, sizeof(sockaddr_un)), "bind", path, "Give a path in a directory that may be written, where nothing is.");
            LinuxException.ThrowIfFailed(LibC.listen(Socket.Number, Backlog), "listen", path);
        }
        catch
        {
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
        Socket.Dispose();
        File.Delete(Path);
    }

    private static FileDescriptor Create(string path)
        => new(LinuxException.ThrowIfFailed(LibC.socket(LibC.AF_UNIX, LibC.SOCK_STREAM | LibC.SOCK_CLOEXEC | LibC.SOCK_NONBLOCK, 0), "socket", path));

    /// <summary>A socket that nobody listens on any more was left by a killed process; anything else is not ours to remove.</summary>
    private static void RemoveStale(string path)
    {
        using FileDescriptor probe = Create(path);
        sockaddr_un address = Address(path);
        if (LibC.connect(probe.Number, (sockaddr*)&address, sizeof(sockaddr_un)) < 0 && LibC.errno == LibC.ECONNREFUSED && IsSocket(path))
        {
            File.Delete(path);
        }
    }

    private static bool IsSocket(string path)
    {
        byte[] name = Encoding.UTF8.GetBytes(path + '\0');
        stat status;
        fixed (byte* start = name)
        {
            return LibC.lstat(start, &status) == 0 && (status.st_mode & LibC.S_IFMT) == LibC.S_IFSOCK;
        }
    }

    private static sockaddr_un Address(string path)
    {
        sockaddr_un address = new() { sun_family = LibC.AF_UNIX };
        byte[] name = Encoding.UTF8.GetBytes(path);
        if (name.Length > ConsoleOptions.MaxSocketPath)
        {
            throw new ArgumentException($"{path}: the path has {name.Length} bytes, and a UNIX socket's has at most {ConsoleOptions.MaxSocketPath}.", nameof(path));
        }

        name.CopyTo(new Span<byte>(address.sun_path, ConsoleOptions.MaxSocketPath));
        return address;
    }
}
