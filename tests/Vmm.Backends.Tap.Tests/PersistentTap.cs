using Tmds.Linux;
using Vmm.Core.Linux;
using Vmm.Testing.Network;

namespace Vmm.Backends.Tap.Tests;

/// <summary>Interfaces as an administrator leaves them behind, and raw descriptors of them.</summary>
internal static unsafe class PersistentTap
{
    /// <summary>What <c>ip tuntap add mode tap [multi_queue]</c> does: no descriptor, no vnet header.</summary>
    public static void Make(NetworkTestbed network, string name, int queues, uint? owner = null) => network.Namespace.Run(() =>
    {
        using TunDescriptor maker = Attach(name, (ushort)(Tun.IFF_TAP | Tun.IFF_NO_PI | (queues > 1 ? Tun.IFF_MULTI_QUEUE : 0)));
        LinuxException.ThrowIfFailed(LibC.ioctl(maker.Number, (int)Tun.TUNSETPERSIST, (void*)1), "ioctl(TUNSETPERSIST)", name);
        if (owner is { } user)
        {
            maker.SetOwner(user, name);
        }

        NetworkLink.SetUp(name);
    });

    public static TunDescriptor Attach(string name, ushort flags)
    {
        TunDescriptor queue = TunDescriptor.Open();
        return queue.TrySetInterface(name, flags) is null ? throw new LinuxException("ioctl(TUNSETIFF)", name, LibC.errno) : queue;
    }

    /// <summary>A second descriptor of the same open file which nobody owns yet.</summary>
    public static int Detach(FileDescriptor file)
    {
        FileDescriptor copy = file.Duplicate();
        int number = copy.Number;
        copy.SetHandleAsInvalid();
        return number;
    }
}
