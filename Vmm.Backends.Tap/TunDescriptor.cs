using System.Runtime.InteropServices;
using System.Text;
using Tmds.Linux;
using Vmm.Core.Linux;
using Vmm.Core.Network;
using static Vmm.Backends.Tap.Tun;

namespace Vmm.Backends.Tap;

/// <summary>One open file of /dev/net/tun, that is one queue of a TAP once it is attached, and the ioctls on it.</summary>
internal sealed unsafe class TunDescriptor : FileDescriptor
{
    public TunDescriptor(int fd) : base(fd)
    {
    }

    /// <summary>Opens /dev/net/tun, non-blocking. It belongs to the network namespace of the calling thread from here on.</summary>
    public static TunDescriptor Open()
    {
        fixed (byte* path = "/dev/net/tun"u8)
        {
            int fd = LibC.open(path, LibC.O_RDWR | LibC.O_NONBLOCK | LibC.O_CLOEXEC, 0);
            return fd >= 0 ? new TunDescriptor(fd) : throw TapErrors.OpenDevice(LibC.errno);
        }
    }

    /// <summary>TUNSETIFF. Returns the name that the kernel chose (for a template like <c>vmtap%d</c>), or null with errno set.</summary>
    public string? TrySetInterface(string name, ushort flags)
    {
        ifreq request = new() { ifr_flags = flags };
        Encoding.ASCII.GetBytes(name, new Span<byte>(request.ifr_name, IFNAMSIZ - 1));
        return Call(TUNSETIFF, &request) < 0 ? null : NameOf(&request);
    }

    /// <summary>TUNGETIFF: the interface and its flags (IFF_TAP, IFF_VNET_HDR, ..., IFF_DETACH_QUEUE); null with errno set.</summary>
    public (string Name, ushort Flags)? TryGetInterface()
    {
        ifreq request = default;
        return Call(TUNGETIFF, &request) < 0 ? null : (NameOf(&request), request.ifr_flags);
    }

    /// <summary>TUNSETQUEUE with IFF_ATTACH_QUEUE or IFF_DETACH_QUEUE; a second of the same is EINVAL.</summary>
    public void SetAttached(bool attached, string name)
    {
        ifreq request = new() { ifr_flags = attached ? IFF_ATTACH_QUEUE : IFF_DETACH_QUEUE };
        LinuxException.ThrowIfFailed(
            Call(TUNSETQUEUE, &request), attached ? "ioctl(TUNSETQUEUE, IFF_ATTACH_QUEUE)" : "ioctl(TUNSETQUEUE, IFF_DETACH_QUEUE)", name);
    }

    public bool TrySetOffload(NetworkOffloads offloads) => Call(TUNSETOFFLOAD, (void*)(nuint)(uint)offloads) >= 0;

    public void SetOwner(uint userId, string name)
        => LinuxException.ThrowIfFailed(Call(TUNSETOWNER, (void*)(nuint)userId), "ioctl(TUNSETOWNER)", $"{name}, user {userId}");

    public int Get(uint request, string requestName, string name)
    {
        int value = 0;
        LinuxException.ThrowIfFailed(Call(request, &value), $"ioctl({requestName})", name);
        return value;
    }

    public void Set(uint request, string requestName, int value, string name)
        => LinuxException.ThrowIfFailed(Call(request, &value), $"ioctl({requestName}, {value})", name);

    /// <summary>The interface's own address, whatever the namespace; null when the kernel does not tell.</summary>
    public MacAddress? TryGetMacAddress()
    {
        ifreq request = default;
        return Call(SIOCGIFHWADDR, &request) < 0 ? null : MacAddress.Read(new ReadOnlySpan<byte>(request.ifr_hwaddr_data, MacAddress.Length));
    }

    /// <summary>TUNGETDEVNETNS: the interface's network namespace; null without privilege in it or before Linux 5.2.</summary>
    public FileDescriptor? TryGetNamespace()
    {
        int fd = Call(TUNGETDEVNETNS, null);
        return fd < 0 ? null : new FileDescriptor(fd);
    }

    /// <summary>O_NONBLOCK and FD_CLOEXEC, for a descriptor that was opened by somebody else.</summary>
    public void SetNonBlocking(string name)
    {
        int flags = LinuxException.ThrowIfFailed(LibC.fcntl(Number, LibC.F_GETFL), "fcntl(F_GETFL)", name);
        if ((flags & LibC.O_NONBLOCK) == 0)
        {
            LinuxException.ThrowIfFailed(LibC.fcntl(Number, LibC.F_SETFL, flags | LibC.O_NONBLOCK), "fcntl(F_SETFL, O_NONBLOCK)", name);
        }

        LinuxException.ThrowIfFailed(LibC.fcntl(Number, LibC.F_SETFD, LibC.FD_CLOEXEC), "fcntl(F_SETFD, FD_CLOEXEC)", name);
    }

    private int Call(uint request, void* argument) => LibC.ioctl(Number, (int)request, argument);

    private static string NameOf(ifreq* request) => Marshal.PtrToStringUTF8((nint)request->ifr_name) ?? "";
}
