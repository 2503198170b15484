using System.Buffers.Binary;

namespace Vmm.Devices.VirtioNet;

// Configuration space, and what the host side changes in it.
public sealed partial class VirtioNetDevice
{
    /// <summary>struct virtio_net_config up to duplex (virtio 1.2 section 5.1.4).</summary>
    private const int ConfigSize = 17;

    private const int StatusAt = 6;
    private const int MaxPairsAt = 8;
    private const int MtuAt = 10;
    private const int SpeedAt = 12;
    private const int DuplexAt = 16;

    private const ushort StatusLinkUp = 1;
    private const ushort StatusAnnounce = 2;
    private const uint UnknownSpeed = uint.MaxValue;
    private const byte FullDuplex = 1;

    public void ReadConfig(uint offset, Span<byte> data)
    {
        Span<byte> config = stackalloc byte[ConfigSize];
        lock (_lock)
        {
            _state.Mac.CopyTo(config);
            int status = (_state.LinkUp ? StatusLinkUp : 0) | (_state.AnnouncePending ? StatusAnnounce : 0);
            BinaryPrimitives.WriteUInt16LittleEndian(config[StatusAt..], (ushort)status);
        }

        BinaryPrimitives.WriteUInt16LittleEndian(config[MaxPairsAt..], (ushort)_config.QueuePairs);
        BinaryPrimitives.WriteUInt16LittleEndian(config[MtuAt..], (ushort)(_mtu ?? 0));
        BinaryPrimitives.WriteUInt32LittleEndian(config[SpeedAt..], _config.SpeedMbps ?? UnknownSpeed);
        config[DuplexAt] = FullDuplex;

        data.Clear();
        if (offset < ConfigSize)
        {
            int count = (int)Math.Min(ConfigSize - offset, data.Length);
            config.Slice((int)offset, count).CopyTo(data);
        }
    }

    /// <summary>SPEC: 5.1.4: a version 1 driver changes the address with VIRTIO_NET_CTRL_MAC_ADDR_SET; all fields are read-only.</summary>
    public void WriteConfig(uint offset, ReadOnlySpan<byte> data)
    {
    }

    /// <summary>Plugs the cable in or pulls it, and tells the driver. While it is out frames are dropped in both directions.</summary>
    public void SetLink(bool up)
    {
        lock (_lock)
        {
            if (_state.LinkUp == up)
            {
                return;
            }

            _state.LinkUp = up;
            PublishRules();
            RestartPairs();
            if (IsNegotiated(VirtioNetFeatures.Status))
            {
                _transport!.InterruptConfig();
            }
        }
    }

    /// <summary>Which frames the driver wants.</summary>
    public ReceiveFilterReport GetReceiveFilter()
    {
        lock (_lock)
        {
            ReceiveFilterState filter = _state.Filter;
            return new ReceiveFilterReport
            {
                Mac = _state.Mac,
                Promiscuous = filter.Promiscuous,
                AllMulticast = filter.AllMulticast,
                AllUnicast = filter.AllUnicast,
                NoMulticast = filter.NoMulticast,
                NoUnicast = filter.NoUnicast,
                NoBroadcast = filter.NoBroadcast,
                UnicastOverflowed = filter.Unicast.Overflowed,
                MulticastOverflowed = filter.Multicast.Overflowed,
                Unicast = [.. filter.Unicast.Entries.Take(filter.Unicast.Count)],
                Multicast = [.. filter.Multicast.Entries.Take(filter.Multicast.Count)],
                Vlans = IsNegotiated(VirtioNetFeatures.ControlVlan)
                    ? [.. Enumerable.Range(0, ReceiveFilterState.VlanCount).Where(vlan => (filter.Vlans[vlan / 64] >> (vlan % 64) & 1) != 0)]
                    : null,
            };
        }
    }

    /// <summary>
    /// Asks the driver to make itself known on the network (virtio 1.2 section 5.1.6.5.4), as after a move to another host. False when
    /// there is no driver or it does not know how.
    /// </summary>
    public bool RequestAnnounce()
    {
        lock (_lock)
        {
            if (!IsNegotiated(VirtioNetFeatures.GuestAnnounce) || !IsNegotiated(VirtioNetFeatures.Status))
            {
                return false;
            }

            _state.AnnouncePending = true;
            _transport!.InterruptConfig();
            return true;
        }
    }

    private bool IsNegotiated(ulong feature) => _transport is { } transport && (transport.Features & feature) == feature;
}
