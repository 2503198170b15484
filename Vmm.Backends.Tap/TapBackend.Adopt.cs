using System.Globalization;
using Tmds.Linux;
using Vmm.Core.Network;
using static Vmm.Backends.Tap.Tun;

namespace Vmm.Backends.Tap;

public sealed partial class TapBackend
{
    /// <summary>
    /// Takes over open TAP descriptors, one per queue, which were inherited or received over a socket; they are closed with the back
    /// end, and on a failure here they are left as they are. Nothing that a running guest would notice is changed: not the offloads,
    /// not which queues are attached.
    /// </summary>
    /// <exception cref="NetworkBackendException">A descriptor is not what is needed.</exception>
    public static TapBackend Adopt(params IReadOnlyList<int> fds)
    {
        ArgumentOutOfRangeException.ThrowIfZero(fds.Count);
        TunDescriptor[] queues = new TunDescriptor[fds.Count];
        bool adopted = false;
        try
        {
            for (int i = 0; i < fds.Count; i++)
            {
                queues[i] = new TunDescriptor(fds[i]);
            }

            TapBackend backend = AdoptAll(queues, fds);
            adopted = true;
            return backend;
        }
        finally
        {
            if (!adopted)
            {
                Array.ForEach(queues, queue => queue?.SetHandleAsInvalid());
            }
        }
    }

    private static TapBackend AdoptAll(TunDescriptor[] queues, IReadOnlyList<int> fds)
    {
        bool[] attached = new bool[queues.Length];
        string name = "";
        ushort flags = 0;
        for (int i = 0; i < queues.Length; i++)
        {
            (string queueName, ushort queueFlags) = Validate(queues[i], fds[i], queues.Length);
            if (i > 0 && queueName != name)
            {
                throw new NetworkBackendException(
                    $"fd={fds[i]} belongs to {queueName} and fd={fds[0]} to {name}: give the queues of one interface.");
            }

            if (fds.Take(i).Contains(fds[i]))
            {
                throw new NetworkBackendException($"fd={fds[i]} is given twice: each queue needs a descriptor of its own.");
            }

            int twin = Array.FindIndex(queues, 0, i, queues[i].IsSameFile);
            if (twin >= 0)
            {
                throw new NetworkBackendException($"fd={fds[i]} is the same queue of {queueName} as fd={fds[twin]}: each queue needs an open file of its own.");
            }

            (name, flags) = (queueName, queueFlags);
            attached[i] = (queueFlags & IFF_DETACH_QUEUE) == 0;
            queues[i].SetNonBlocking($"fd={fds[i]}");
        }

        // TUNGETIFF does not tell: its bit of IFF_NO_PI doubles as IFF_NOFILTER there.
        NetworkLinkInfo? link = TapNamespace.FindLink(queues[0], name);
        if (link?.TunPacketInfo == true)
        {
            throw new NetworkBackendException(
                $"fd={fds[0]} is {name}, attached without IFF_NO_PI, so four more bytes stand before each frame; its flags are 0x{flags:x4}.");
        }

        // ORDER: header size and byte order belong to the interface, and writing them even unchanged is left out for a live one.
        if (queues[0].Get(TUNGETVNETHDRSZ, nameof(TUNGETVNETHDRSZ), name) != INetworkBackend.HeaderSize)
        {
            queues[0].Set(TUNSETVNETHDRSZ, nameof(TUNSETVNETHDRSZ), INetworkBackend.HeaderSize, name);
        }

        if (queues[0].Get(TUNGETVNETLE, nameof(TUNGETVNETLE), name) == 0)
        {
            queues[0].Set(TUNSETVNETLE, nameof(TUNSETVNETLE), 1, name);
        }

        return new TapBackend(name, queues, attached, flags)
        {
            SupportedOffloads = KernelHasUso() ? TapOffloads.Base | TapOffloads.Uso : TapOffloads.Base,
            Mtu = link?.Mtu,
            HostAddress = queues[0].TryGetMacAddress(),
            IsUp = link?.IsUp,

            // The offloads that are on can't be asked for, so the longest frame of all is what may come.
            _maxFrameSize = TapOffloads.MaxFrameSize(TapOffloads.Base, link?.Mtu),
        };
    }

    private static (string Name, ushort Flags) Validate(TunDescriptor queue, int fd, int count)
    {
        if (queue.TryGetInterface() is not { } found)
        {
            int errno = LibC.errno;
            string? target = new FileInfo($"/proc/self/fd/{fd.ToString(CultureInfo.InvariantCulture)}").LinkTarget;
            throw new NetworkBackendException(
                errno == LibC.EBADF ? $"fd={fd} is not an open descriptor: the starting process must pass it on (without close-on-exec)."
                : errno == LibC.EBADFD ? $"fd={fd} is {DevicePath} without an interface: TUNSETIFF has to come first."
                : $"fd={fd} is {target ?? "something"}, no TAP: open {DevicePath} and attach an interface.");
        }

        (string name, ushort flags) = found;
        string? wrong = (flags & IFF_TAP) == 0 ? "a TUN (IP packets), where a TAP (Ethernet frames, IFF_TAP) is needed"
            : (flags & IFF_VNET_HDR) == 0 ? "attached without IFF_VNET_HDR, which is needed"
            : count > 1 && (flags & IFF_MULTI_QUEUE) == 0 ? $"attached without IFF_MULTI_QUEUE, which {count} descriptors need"
            : null;
        return wrong is null ? found : throw new NetworkBackendException($"fd={fd} is {name}, {wrong}; its flags are 0x{flags:x4}.");
    }

    /// <summary>TUNSETOFFLOAD can only be tried by changing it: for a live interface the kernel's version answers. USO came with 6.2.</summary>
    private static bool KernelHasUso() => Environment.OSVersion.Version >= new Version(6, 2);
}
