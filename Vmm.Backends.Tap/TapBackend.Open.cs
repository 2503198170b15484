using Tmds.Linux;
using Vmm.Core.Network;
using static Vmm.Backends.Tap.Tun;

namespace Vmm.Backends.Tap;

public sealed partial class TapBackend
{
    /// <summary>The back end that <c>--net tap,...</c> describes: by name, or by descriptors.</summary>
    public static TapBackend Open(NetworkDeviceOptions options)
    {
        if (!options.Vhost)
        {
            return OpenQueues(options);
        }

        // Before an interface is made for nothing.
        VhostDescriptor[] vhost = options.VhostFds.Count > 0 ? AdoptVhost(options.VhostFds) : OpenVhost(options.Queues);
        try
        {
            return OpenQueues(options).With(vhost);
        }
        catch
        {
            DisposeAll(vhost);
            throw;
        }
    }

    private static TapBackend OpenQueues(NetworkDeviceOptions options) => options.Fds.Count > 0 ? Adopt(options.Fds) : Open(new TapOptions
    {
        Name = options.IfName ?? "vmtap%d",
        Mode = options.IfName is null ? TapOpenMode.CreateNew : TapOpenMode.OpenOrCreate,
        Queues = options.Queues,
        Mtu = options.Mtu,
        SendBuffer = options.SendBuffer,
    });

    /// <summary>
    /// Attaches to an interface in the network namespace of the calling thread, or makes it there. An interface made here is set up
    /// (IFF_UP) and vanishes with the back end.
    /// </summary>
    /// <exception cref="NetworkBackendException">The name, or what stands behind it, does not fit.</exception>
    /// <exception cref="Core.Linux.LinuxException">A system call failed.</exception>
    public static TapBackend Open(TapOptions options)
    {
        CheckName(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Queues, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.Queues, MAX_TAP_QUEUES);
        NetworkLinkInfo? existing = NetworkLink.Find(options.Name);
        Check(options, existing);

        // Attaching must repeat the interface's own IFF_MULTI_QUEUE, whatever number of queues is wanted.
        bool multiQueue = existing?.TunMultiQueue ?? options.Queues > 1;
        ushort flags = (ushort)(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | (multiQueue ? IFF_MULTI_QUEUE : 0));
        ushort first = options.Mode == TapOpenMode.CreateNew ? (ushort)(flags | IFF_TUN_EXCL) : flags;

        TunDescriptor[] queues = new TunDescriptor[options.Queues];
        try
        {
            string name = Attach(queues, 0, options.Name, first, options.Queues, existing);
            for (int i = 1; i < queues.Length; i++)
            {
                Attach(queues, i, name, flags, options.Queues, existing);
            }

            return Prepare(queues, name, options, created: existing is null);
        }
        catch
        {
            foreach (TunDescriptor? queue in queues)
            {
                queue?.Dispose();
            }

            throw;
        }
    }

    private static TapBackend Prepare(TunDescriptor[] queues, string name, TapOptions options, bool created)
    {
        // ORDER: header size and byte order belong to the interface: before anything passes, and before it goes up.
        queues[0].Set(TUNSETVNETHDRSZ, nameof(TUNSETVNETHDRSZ), INetworkBackend.HeaderSize, name);
        queues[0].Set(TUNSETVNETLE, nameof(TUNSETVNETLE), 1, name);
        if (options.SendBuffer is { } bytes)
        {
            queues[0].Set(TUNSETSNDBUF, nameof(TUNSETSNDBUF), bytes, name);
        }

        NetworkOffloads all = TapOffloads.Base | TapOffloads.Uso;
        NetworkOffloads supported = queues[0].TrySetOffload(all) ? all : TapOffloads.Base;
        if (created)
        {
            SetUpCreated(queues[0], name, options);
        }

        bool[] attached = new bool[queues.Length];
        Array.Fill(attached, true);
        NetworkLinkInfo? link = NetworkLink.Find(name);
        TapBackend backend = new(name, queues, attached, queues[0].TryGetInterface()!.Value.Flags)
        {
            SupportedOffloads = supported,
            Mtu = link?.Mtu,
            HostAddress = link?.Address,
            IsUp = link?.IsUp,
        };
        backend.SetOffloads(NetworkOffloads.None);
        backend.SetActiveQueues(1);
        return backend;
    }

    private static void SetUpCreated(TunDescriptor queue, string name, TapOptions options)
    {
        if (options.Owner is { } owner)
        {
            queue.SetOwner(owner, name);
        }

        if (options.HostAddress is { } address)
        {
            NetworkLink.SetAddress(name, address);
        }

        if (options.Mtu is { } mtu)
        {
            NetworkLink.SetMtu(name, mtu);
        }

        NetworkLink.SetUp(name);
    }

    private static string Attach(TunDescriptor[] queues, int index, string name, ushort flags, int count, NetworkLinkInfo? existing)
    {
        queues[index] = TunDescriptor.Open();
        return queues[index].TrySetInterface(name, flags) ?? throw TapErrors.Attach(LibC.errno, name, count, existing);
    }

    private static void Check(TapOptions options, NetworkLinkInfo? existing)
    {
        if (existing is null)
        {
            if (options.Mode == TapOpenMode.OpenExisting)
            {
                throw TapErrors.Missing(options.Name, options.Queues);
            }

            return;
        }

        if (options.Mode == TapOpenMode.CreateNew)
        {
            throw TapErrors.Exists(options.Name);
        }

        if (existing.TunType == TunType.Tun || existing.Kind != "tun")
        {
            throw TapErrors.NotTap(existing, options.Queues);
        }

        // The kernel lets a second process attach to a multi-queue TAP and spreads the frames over both.
        if (existing.TunQueues > 0)
        {
            throw TapErrors.InUse(existing, options.Queues);
        }

        if (options.Queues > 1 && existing.TunMultiQueue == false)
        {
            throw TapErrors.SingleQueue(existing, options.Queues);
        }
    }

    /// <summary>The kernel's dev_valid_name; a longer name would be cut silently.</summary>
    private static void CheckName(TapOptions options)
    {
        string name = options.Name;
        if (name.Length is 0 or >= IFNAMSIZ)
        {
            throw new NetworkBackendException(
                $"ifname={name} has {name.Length} characters; an interface's name has 1 to {IFNAMSIZ - 1}. Choose a shorter name like vmtap0.");
        }

        bool isTemplate = name.Contains('%', StringComparison.Ordinal);
        if (name is "." or ".." || name.Any(c => c is <= ' ' or > '~' or '/' or ':') || (isTemplate && options.Mode != TapOpenMode.CreateNew))
        {
            throw new NetworkBackendException(
                $"ifname={name} is no name for an interface: letters, digits, '-', '_' and '.' are, as in vmtap0.");
        }
    }
}
