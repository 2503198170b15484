using Tmds.Linux;
using Vmm.Core.Linux;
using Vmm.Core.Memory;
using Vmm.Core.Network;
using Vmm.Core.Virtio;
using static Vmm.Backends.Tap.Vhost;

namespace Vmm.Backends.Tap;

/// <summary>One open file of /dev/vhost-net, which runs the two rings of one queue pair, and the ioctls on it.</summary>
internal sealed unsafe class VhostDescriptor : FileDescriptor
{
    /// <summary>Without these the guest would see another device than without vhost. Linux has had them since 4.0.</summary>
    public const ulong NeededFeatures = VirtioFeatures.RingIndirectDescriptors | VirtioFeatures.RingEventIndex | VirtioFeatures.Version1 | MergeableReceiveBuffers;

    private const ulong MergeableReceiveBuffers = 1ul << 15; // VIRTIO_NET_F_MRG_RXBUF

    public VhostDescriptor(int fd) : base(fd)
    {
    }

    /// <summary>Opens /dev/vhost-net; it belongs to nobody yet.</summary>
    public static VhostDescriptor Open()
    {
        fixed (byte* path = "/dev/vhost-net"u8)
        {
            int fd = LibC.open(path, LibC.O_RDWR | LibC.O_CLOEXEC, 0);
            return fd >= 0 ? new VhostDescriptor(fd) : throw VhostErrors.OpenDevice(LibC.errno);
        }
    }

    /// <summary>What it can do (VHOST_GET_FEATURES); null with errno set when it is no vhost device.</summary>
    public ulong? TryGetFeatures()
    {
        ulong features;
        return Call(VHOST_GET_FEATURES, &features) < 0 ? null : features;
    }

    /// <summary>Ties it to this process's memory, and starts its thread.</summary>
    public void SetOwner()
    {
        if (Call(VHOST_SET_OWNER, null) < 0)
        {
            throw VhostErrors.SetOwner(LibC.errno);
        }
    }

    /// <summary>Unties it, and ends its thread: the next one may be its owner. Nothing that was set remains. False when the kernel is short of memory.</summary>
    public bool TryResetOwner() => Call(VHOST_RESET_OWNER, null) >= 0;

    public void SetFeatures(ulong features) => Check(Call(VHOST_SET_FEATURES, &features), nameof(VHOST_SET_FEATURES));

    public void SetMemory(GuestMemory memory)
    {
        vhost_memory table = new() { nregions = (uint)memory.Regions.Count };
        for (int i = 0; i < memory.Regions.Count; i++)
        {
            MemoryRegion region = memory.Regions[i];
            table.regions[i] = new vhost_memory_region { guest_phys_addr = region.Start.Value, memory_size = region.Size, userspace_addr = region.HostAddress };
        }

        Check(Call(VHOST_SET_MEM_TABLE, &table), nameof(VHOST_SET_MEM_TABLE));
    }

    public void SetSignals(RingDirection ring, RingSignals signals)
    {
        SetFile(VHOST_SET_VRING_KICK, nameof(VHOST_SET_VRING_KICK), ring, signals.Doorbell.Number);
        SetFile(VHOST_SET_VRING_CALL, nameof(VHOST_SET_VRING_CALL), ring, signals.Call.Number);
        SetFile(VHOST_SET_VRING_ERR, nameof(VHOST_SET_VRING_ERR), ring, signals.Error.Number);
    }

    /// <summary>Size, addresses and position of a ring that does not run.</summary>
    public void SetRing(RingDirection ring, in VirtqueueState state, GuestMemory memory)
    {
        vhost_vring_state number = new() { index = (uint)ring, num = state.Size };
        Check(Call(VHOST_SET_VRING_NUM, &number), nameof(VHOST_SET_VRING_NUM));

        // ORDER: the size first, by which the kernel checks the addresses.
        vhost_vring_addr addresses = new()
        {
            index = (uint)ring,
            desc_user_addr = HostAddress(memory, state.DescriptorTable),
            avail_user_addr = HostAddress(memory, state.AvailableRing),
            used_user_addr = HostAddress(memory, state.UsedRing),
        };
        Check(Call(VHOST_SET_VRING_ADDR, &addresses), nameof(VHOST_SET_VRING_ADDR));

        number.num = state.NextAvailable;
        Check(Call(VHOST_SET_VRING_BASE, &number), nameof(VHOST_SET_VRING_BASE));
    }

    /// <summary>The next chain to take; null when the kernel does not tell.</summary>
    public ushort? TryGetBase(RingDirection ring)
    {
        vhost_vring_state number = new() { index = (uint)ring };
        return Call(VHOST_GET_VRING_BASE, &number) < 0 ? null : (ushort)number.num;
    }

    /// <summary>Starts a ring on an open TAP. The kernel reads the used index from the ring now.</summary>
    public void SetBackend(RingDirection ring, FileDescriptor tap)
        => SetFile(VHOST_NET_SET_BACKEND, nameof(VHOST_NET_SET_BACKEND), ring, tap.Number);

    /// <summary>Stops a ring; returns when its thread has left it. False, with errno set, when it can't be.</summary>
    public bool TryRemoveBackend(RingDirection ring)
    {
        vhost_vring_file file = new() { index = (uint)ring, fd = -1 };
        return Call(VHOST_NET_SET_BACKEND, &file) >= 0;
    }

    private void SetFile(uint request, string requestName, RingDirection ring, int fd)
    {
        vhost_vring_file file = new() { index = (uint)ring, fd = fd };
        Check(Call(request, &file), requestName);
    }

    /// <summary>The rings were checked against the same regions.</summary>
    private static ulong HostAddress(GuestMemory memory, GuestAddress address)
    {
        foreach (MemoryRegion region in memory.Regions)
        {
            if (address >= region.Start && address < region.End)
            {
                return region.HostAddress + (address.Value - region.Start.Value);
            }
        }

        throw new ArgumentOutOfRangeException(nameof(address), $"{address} is no RAM.");
    }

    private static void Check(int result, string requestName)
    {
        if (result < 0)
        {
            // Rings start while the guest stands still: the text is made only when it is needed.
            throw new LinuxException($"ioctl({requestName})", DevicePath, LibC.errno);
        }
    }

    private int Call(uint request, void* argument) => LibC.ioctl(Number, (int)request, argument);
}
