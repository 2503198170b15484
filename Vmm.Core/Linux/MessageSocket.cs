using Tmds.Linux;

namespace Vmm.Core.Linux;

/// <summary>A connected stream socket on which bytes and, when it is an AF_UNIX one, open files travel (unix(7), SCM_RIGHTS).</summary>
/// <remarks>Non-blocking; the caller waits with <see cref="Wait"/>. One thread sends, one receives.</remarks>
public sealed unsafe class MessageSocket : FileDescriptor
{
    /// <summary>The most descriptors that one message carries (SCM_MAX_FD).</summary>
    public const int MaxDescriptors = 253;

    private const short POLLRDHUP = 0x2000;
    private const int ControlSize = 16 + MaxDescriptors * sizeof(int) + 8;

    /// <summary>Takes over a connected stream socket.</summary>
    public MessageSocket(int fd) : base(fd)
    {
        int flags = LinuxException.ThrowIfFailed(LibC.fcntl(fd, LibC.F_GETFL), "fcntl(F_GETFL)", $"fd {fd}");
        LinuxException.ThrowIfFailed(LibC.fcntl(fd, LibC.F_SETFL, flags | LibC.O_NONBLOCK), "fcntl(F_SETFL)", $"fd {fd}");
        LinuxException.ThrowIfFailed(LibC.fcntl(fd, LibC.F_SETFD, LibC.FD_CLOEXEC), "fcntl(F_SETFD)", $"fd {fd}");
    }

    /// <summary>Takes over what <paramref name="file"/> owned.</summary>
    public static MessageSocket Adopt(FileDescriptor file)
    {
        MessageSocket socket = new(file.Number);
        file.SetHandleAsInvalid();
        return socket;
    }

    /// <summary>Two sockets that are connected with each other.</summary>
    public static (MessageSocket First, MessageSocket Second) CreatePair()
    {
        int* pair = stackalloc int[2];
        LinuxException.ThrowIfFailed(LibC.socketpair(LibC.AF_UNIX, LibC.SOCK_STREAM | LibC.SOCK_CLOEXEC, 0, pair), "socketpair", "a channel");
        return (new MessageSocket(pair[0]), new MessageSocket(pair[1]));
    }

    /// <summary>Waits for readiness. False when the time is up; a hang-up counts as ready.</summary>
    /// <param name="events">POLLIN or POLLOUT.</param>
    /// <param name="milliseconds">-1 waits for ever.</param>
    public bool Wait(short events, int milliseconds)
    {
        pollfd poll = new() { fd = Number, events = events };
        int ready = Libc.poll(&poll, 1, milliseconds);
        return ready > 0 || (ready < 0 && LibC.errno == LibC.EINTR);
    }

    /// <summary>Waits until the peer has closed, whatever there is to read. False when the time is up.</summary>
    /// <param name="milliseconds">-1 waits for ever.</param>
    public bool WaitForHangUp(int milliseconds = -1)
    {
        pollfd poll = new() { fd = Number, events = POLLRDHUP };
        int ready;
        do
        {
            ready = Libc.poll(&poll, 1, milliseconds);
        }
        while (ready < 0 && LibC.errno == LibC.EINTR);

        return ready > 0;
    }

    /// <summary>
    /// Sends the front of <paramref name="head"/> followed by <paramref name="body"/> in one sendmsg; the descriptors go with the first byte.
    /// </summary>
    /// <returns>Bytes sent, or -errno.</returns>
    public int Send(scoped ReadOnlySpan<byte> head, scoped ReadOnlySpan<byte> body, IReadOnlyList<FileDescriptor>? descriptors = null)
    {
        int count = descriptors?.Count ?? 0;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, MaxDescriptors);
        byte* control = stackalloc byte[ControlSize];

        // SAFETY: both spans are pinned during the call; the control buffer holds a header and count descriptors.
        fixed (byte* first = head, second = body)
        {
            iovec* parts = stackalloc iovec[2];
            parts[0] = new iovec { iov_base = first, iov_len = head.Length };
            parts[1] = new iovec { iov_base = second, iov_len = body.Length };
            msghdr message = new() { msg_iov = parts, msg_iovlen = 2 };
            if (count > 0)
            {
                cmsghdr* header = (cmsghdr*)control;
                *header = new cmsghdr { cmsg_len = sizeof(cmsghdr) + count * sizeof(int), cmsg_level = LibC.SOL_SOCKET, cmsg_type = LibC.SCM_RIGHTS };
                int* numbers = (int*)(header + 1);
                for (int i = 0; i < count; i++)
                {
                    numbers[i] = descriptors![i].Number;
                }

                message.msg_control = control;
                message.msg_controllen = (sizeof(cmsghdr) + count * sizeof(int) + 7) & ~7;
            }

            nint sent = (nint)LibC.sendmsg(Number, &message, LibC.MSG_NOSIGNAL);
            return sent >= 0 ? (int)sent : -LibC.errno;
        }
    }

    /// <summary>Receives what is there.</summary>
    /// <param name="descriptors">Gets the open files that came with it; close-on-exec.</param>
    /// <returns>Bytes received, 0 when the peer has closed, -errno; -EMSGSIZE when files were lost (MSG_CTRUNC).</returns>
    public int Receive(scoped Span<byte> target, List<FileDescriptor> descriptors)
    {
        byte* control = stackalloc byte[ControlSize];
        fixed (byte* first = target)
        {
            iovec part = new() { iov_base = first, iov_len = target.Length };
            msghdr message = new() { msg_iov = &part, msg_iovlen = 1, msg_control = control, msg_controllen = ControlSize };
            nint received = (nint)LibC.recvmsg(Number, &message, LibC.MSG_CMSG_CLOEXEC);
            if (received < 0)
            {
                return -LibC.errno;
            }

            Collect(control, (int)message.msg_controllen, descriptors);
            return (message.msg_flags & LibC.MSG_CTRUNC) != 0 ? -LibC.EMSGSIZE : (int)received;
        }
    }

    // SAFETY: the kernel has written `length` bytes of control messages.
    private static void Collect(byte* control, int length, List<FileDescriptor> descriptors)
    {
        for (int offset = 0; length - offset >= sizeof(cmsghdr);)
        {
            cmsghdr* header = (cmsghdr*)(control + offset);
            int size = (int)header->cmsg_len;
            if (size < sizeof(cmsghdr) || size > length - offset)
            {
                return;
            }

            if (header->cmsg_level == LibC.SOL_SOCKET && header->cmsg_type == LibC.SCM_RIGHTS)
            {
                int* numbers = (int*)(header + 1);
                for (int i = 0; i < (size - sizeof(cmsghdr)) / sizeof(int); i++)
                {
                    descriptors.Add(new FileDescriptor(numbers[i]));
                }
            }

            offset += (size + 7) & ~7;
        }
    }
}
