using System.Buffers.Binary;
using Vmm.Core.Network;

namespace Vmm.Devices.VirtioNet;

/// <summary>
/// Which frames the driver wants: an immutable picture of <see cref="ReceiveFilterState"/>, so that I/O threads read it without a lock.
/// </summary>
internal sealed class ReceiveFilter
{
    /// <summary>How many bytes of a frame <see cref="Accepts"/> looks at: addresses, type and VLAN tag.</summary>
    public const int BytesNeeded = 16;

    private const ushort VlanType = 0x8100;

    private readonly MacAddress _mac;
    private readonly ReceiveFilterState _state;
    private readonly bool _filtersVlans;

    public ReceiveFilter(MacAddress mac, in ReceiveFilterState state, ulong features)
    {
        _mac = mac;
        _state = state;
        _state.Unicast = state.Unicast.Copy();
        _state.Multicast = state.Multicast.Copy();
        _state.Vlans = [.. state.Vlans];
        _filtersVlans = (features & VirtioNetFeatures.ControlVlan) != 0;
    }

    /// <summary>SPEC: 5.1.6.5.1: promiscuous takes all incoming frames: tagged ones of any VLAN too, as in QEMU.</summary>
    public bool AcceptsAll => _state.Promiscuous;

    /// <summary>Whether to deliver a frame that begins with these bytes (14 or more).</summary>
    public bool Accepts(ReadOnlySpan<byte> start)
    {
        if (_state.Promiscuous)
        {
            return true;
        }

        if (_filtersVlans && start.Length >= 16 && BinaryPrimitives.ReadUInt16BigEndian(start[12..]) == VlanType)
        {
            int vlan = BinaryPrimitives.ReadUInt16BigEndian(start[14..]) & 0xfff;
            if ((_state.Vlans[vlan / 64] >> (vlan % 64) & 1) == 0)
            {
                return false;
            }
        }

        MacAddress target = MacAddress.Read(start);
        if (target == MacAddress.Broadcast)
        {
            return !_state.NoBroadcast;
        }

        return target.IsMulticast
            ? !_state.NoMulticast && (_state.AllMulticast || _state.Multicast.Contains(target))
            : !_state.NoUnicast && (_state.AllUnicast || target == _mac || _state.Unicast.Contains(target));
    }
}
