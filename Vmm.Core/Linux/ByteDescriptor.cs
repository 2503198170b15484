using System.Runtime.InteropServices;
using Tmds.Linux;

namespace Vmm.Core.Linux;

/// <summary>A descriptor that bytes go through: a pipe, a connected stream socket, a file. Reading and writing don't wait; <see cref="Wait"/> does.</summary>
public sealed unsafe class ByteDescriptor : FileDescriptor
{
    /// <summary>What a pipe holds when it may: fewer switches between its two ends.</summary>
    private const int PipeSize = 1 << 20;

    private const ushort OwnerOnly = 0x180; // 0600

    /// <param name="fd">Made non-blocking and close-on-exec, unless it is somebody else's.</param>
    public ByteDescriptor(int fd, bool ownsHandle = true) : base(fd, ownsHandle)
    {
        if (ownsHandle)
        {
            int flags = LinuxException.ThrowIfFailed(LibC.fcntl(fd, LibC.F_GETFL), "fcntl(F_GETFL)", $"fd {fd}");
            LinuxException.ThrowIfFailed(LibC.fcntl(fd, LibC.F_SETFL, flags | LibC.O_NONBLOCK), "fcntl(F_SETFL)", $"fd {fd}");
            LinuxException.ThrowIfFailed(LibC.fcntl(fd, LibC.F_SETFD, LibC.FD_CLOEXEC), "fcntl(F_SETFD)", $"fd {fd}");
            _ = LibC.fcntl(fd, LibC.F_SETPIPE_SZ, PipeSize); // where it is a pipe, and the limit allows it
        }
    }

    /// <summary>An empty file that only its owner may read and write.</summary>
    /// <exception cref="LinuxException">open(2) failed.</exception>
    public static ByteDescriptor CreateFile(string path)
    {
        byte* name = (byte*)Marshal.StringToCoTaskMemUTF8(path);
        try
        {
            int fd = LibC.open(name, LibC.O_WRONLY | LibC.O_CREAT | LibC.O_TRUNC | LibC.O_CLOEXEC, (mode_t)OwnerOnly);
            return new ByteDescriptor(LinuxException.ThrowIfFailed(fd, "open", path));
        }
        finally
        {
            Marshal.FreeCoTaskMem((nint)name);
        }
    }

    /// <summary>What a number stands for.</summary>
    /// <exception cref="LinuxException">It is not open.</exception>
    public static DescriptorKind Probe(int fd)
    {
        stat status;
        LinuxException.ThrowIfFailed(LibC.fstat(fd, &status), "fstat", $"fd {fd}", "Pass an open descriptor, as in `3<file`.");
        return LibC.S_ISSOCK(status.st_mode) ? ProbeSocket(fd)
            : LibC.S_ISFIFO(status.st_mode) ? DescriptorKind.Pipe
            : LibC.S_ISREG(status.st_mode) ? DescriptorKind.File
            : LibC.S_ISCHR(status.st_mode) || LibC.S_ISBLK(status.st_mode) ? DescriptorKind.Device
            : DescriptorKind.Other;
    }

    /// <summary>Whether it was opened for reading, or for writing.</summary>
    public static bool Allows(int fd, bool writing)
        => (LibC.fcntl(fd, LibC.F_GETFL) & LibC.O_ACCMODE) is int mode && (mode == LibC.O_RDWR || mode == (writing ? LibC.O_WRONLY : LibC.O_RDONLY));

    /// <summary>Returns the bytes read, 0 at the end, or -errno.</summary>
    public int Read(scoped Span<byte> target)
    {
        fixed (byte* first = target)
        {
            return Result((nint)LibC.read(Number, first, target.Length));
        }
    }

    /// <summary>Returns the bytes written, or -errno.</summary>
    public int Write(scoped ReadOnlySpan<byte> source)
    {
        fixed (byte* first = source)
        {
            return Result((nint)LibC.write(Number, first, source.Length));
        }
    }

    /// <summary>The next bytes of a socket, which stay there. Returns as <see cref="Read"/>.</summary>
    public int Peek(scoped Span<byte> target)
    {
        fixed (byte* first = target)
        {
            return Result((nint)LibC.recv(Number, first, target.Length, LibC.MSG_PEEK | LibC.MSG_DONTWAIT));
        }
    }

    /// <summary>Brings a file's bytes to where they outlast the host.</summary>
    public void Flush(string subject) => LinuxException.ThrowIfFailed(LibC.fsync(Number), "fsync", subject);

    /// <summary>Waits for readiness. False when the time is up; a hang-up counts as ready.</summary>
    /// <param name="events">POLLIN or POLLOUT.</param>
    /// <param name="milliseconds">-1 waits for ever.</param>
    public bool Wait(short events, int milliseconds)
    {
        pollfd poll = new() { fd = Number, events = events };
        return Libc.poll(&poll, 1, milliseconds) > 0;
    }

    private static DescriptorKind ProbeSocket(int fd)
    {
        int type = 0;
        int listens = 0;
        socklen_t size = sizeof(int);
        bool known = LibC.getsockopt(fd, LibC.SOL_SOCKET, LibC.SO_TYPE, &type, &size) == 0
            && LibC.getsockopt(fd, LibC.SOL_SOCKET, LibC.SO_ACCEPTCONN, &listens, &size) == 0;
        return !known || type != LibC.SOCK_STREAM ? DescriptorKind.Other : listens != 0 ? DescriptorKind.Listener : DescriptorKind.Socket;
    }

    private static int Result(nint result) => result >= 0 ? (int)result : -LibC.errno;
}
