using System.Text;
using Tmds.Linux;

namespace Vmm.Core.Linux;

/// <summary>The name in the file system that a UNIX socket is bound to (unix(7)). Another process's socket, and what is no socket, is left alone.</summary>
internal sealed unsafe class UnixSocketFile
{
    /// <summary>Bytes of a path: sockaddr_un has room for these and a zero.</summary>
    public const int MaxPath = 107;

    private readonly string _path;
    private readonly (ulong Device, ulong Inode) _identity;

    private UnixSocketFile(string path)
    {
        _path = path;
        _identity = FileStatus.TryGet(path, followLink: false, out stat status) ? Identity(status) : default;
    }

    /// <summary>Binds <paramref name="socket"/> to <paramref name="path"/>. A socket that a killed process left there is replaced.</summary>
    /// <exception cref="LinuxException">Something else is there, or the directory refused.</exception>
    public static UnixSocketFile Bind(FileDescriptor socket, string path)
    {
        sockaddr_un address = Address(path);
        int errno = TryBind(socket, &address);
        if (errno == LibC.EADDRINUSE && IsSocket(path) && !IsLive(&address))
        {
            File.Delete(path);
            errno = TryBind(socket, &address);
        }

        return errno == 0
            ? new UnixSocketFile(path)
            : throw new LinuxException("bind", path, errno, (errno == LibC.EADDRINUSE, IsSocket(path)) switch
            {
                (true, true) => "Another process has its socket there: choose another path.",
                (true, false) => $"{path} is there and is not a socket: choose another path, or remove it.",
                _ => "Choose a path in a directory that you may write to.",
            });
    }

    /// <summary>The name of a socket that another process has bound and passed on.</summary>
    public static UnixSocketFile Adopt(string path) => new(path);

    /// <summary>What lies at <paramref name="path"/> is a socket itself; no symbolic link to one.</summary>
    public static bool IsSocket(string path) => FileStatus.TryGet(path, followLink: false, out stat status) && LibC.S_ISSOCK(status.st_mode);

    /// <summary>Removes the name, unless it is another socket's by now.</summary>
    // ORDER: before the socket is closed. While it is open it holds its inode, whose number nothing else gets.
    public void Remove()
    {
        if (FileStatus.TryGet(_path, followLink: false, out stat status) && Identity(status) == _identity)
        {
            File.Delete(_path);
        }
    }

    /// <summary>
    /// A process has that socket open. Asked with a datagram socket, which a listener of another type refuses as of the wrong type
    /// (EPROTOTYPE) before it would see a client, and a dead one with ECONNREFUSED.
    /// </summary>
    private static bool IsLive(sockaddr_un* address)
    {
        using FileDescriptor probe = new(LinuxException.ThrowIfFailed(
            LibC.socket(LibC.AF_UNIX, LibC.SOCK_DGRAM | LibC.SOCK_CLOEXEC | LibC.SOCK_NONBLOCK, 0), "socket(AF_UNIX)", "a probe"));
        return LibC.connect(probe.Number, (sockaddr*)address, sizeof(sockaddr_un)) == 0 || LibC.errno != LibC.ECONNREFUSED;
    }

    private static int TryBind(FileDescriptor socket, sockaddr_un* address)
        => LibC.bind(socket.Number, (sockaddr*)address, sizeof(sockaddr_un)) == 0 ? 0 : LibC.errno;

    private static (ulong Device, ulong Inode) Identity(in stat status) => ((ulong)status.st_dev, (ulong)status.st_ino);

    internal static sockaddr_un Address(string path)
    {
        sockaddr_un address = new() { sun_family = LibC.AF_UNIX };
        byte[] name = Encoding.UTF8.GetBytes(path);
        if (name.Length is 0 or > MaxPath)
        {
            throw new ArgumentException($"{path}: the path has {name.Length} bytes, and a UNIX socket's has 1 to {MaxPath}.", nameof(path));
        }

        name.CopyTo(new Span<byte>(address.sun_path, MaxPath));
        return address;
    }
}
