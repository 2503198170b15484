using Vmm.Core.Network;

namespace Vmm.Devices.VirtioNet;

// What the control queue's commands do. A command that is malformed or not negotiated changes nothing.
public sealed partial class VirtioNetDevice
{
    private const byte ClassReceive = 0;
    private const byte ClassMac = 1;
    private const byte ClassVlan = 2;
    private const byte ClassAnnounce = 3;
    private const byte ClassMultiQueue = 4;
    private const byte ClassGuestOffloads = 5;

    /// <summary>Carries out the command in the readable list. False changes nothing.</summary>
    private bool Execute()
    {
        if (!ControlCommand.TryParse(_controlReadable, out ControlCommand command))
        {
            return false;
        }

        return command.Class switch
        {
            ClassReceive => SetReceiveMode(command),
            ClassMac => command.Command == 0 ? SetMacTable(command) : command.Command == 1 && SetMacAddress(command),
            ClassVlan => SetVlan(command),
            ClassAnnounce => AcknowledgeAnnounce(command),
            ClassMultiQueue => command.Command == 0 && SetActivePairs(command),
            ClassGuestOffloads => command.Command == 0 && SetGuestOffloads(command),
            _ => false,
        };
    }

    private bool SetReceiveMode(ControlCommand command)
    {
        // SPEC: 5.1.6.5.1: PROMISC and ALLMULTI come with CTRL_RX, the others with CTRL_RX_EXTRA.
        ulong feature = command.Command <= 1 ? VirtioNetFeatures.ControlReceive : VirtioNetFeatures.ControlReceiveExtra;
        if (!IsNegotiated(feature) || !command.TryReadOnly(out byte value) || value > 1)
        {
            return false;
        }

        bool on = value != 0;
        switch (command.Command)
        {
            case 0:
                _state.Filter.Promiscuous = on;
                break;
            case 1:
                _state.Filter.AllMulticast = on;
                break;
            case 2:
                _state.Filter.AllUnicast = on;
                break;
            case 3:
                _state.Filter.NoMulticast = on;
                break;
            case 4:
                _state.Filter.NoUnicast = on;
                break;
            case 5:
                _state.Filter.NoBroadcast = on;
                break;
            default:
                return false;
        }

        PublishRules();
        return true;
    }

    private bool SetMacTable(ControlCommand command)
    {
        if (!IsNegotiated(VirtioNetFeatures.ControlReceive)
            || !command.TryReadTable(out MacTable unicast)
            || !command.TryReadTable(out MacTable multicast)
            || command.Left != 0)
        {
            return false;
        }

        _state.Filter.Unicast = unicast;
        _state.Filter.Multicast = multicast;
        PublishRules();
        return true;
    }

    private bool SetMacAddress(ControlCommand command)
    {
        if (!IsNegotiated(VirtioNetFeatures.ControlMacAddress) || !command.TryReadOnly(out MacAddress address) || address.IsMulticast)
        {
            return false;
        }

        _state.Mac = address;
        PublishRules();
        return true;
    }

    private bool SetVlan(ControlCommand command)
    {
        if (!IsNegotiated(VirtioNetFeatures.ControlVlan)
            || command.Command > 1
            || !command.TryReadOnly(out ushort vlan)
            || vlan >= ReceiveFilterState.VlanCount)
        {
            return false;
        }

        ulong bit = 1ul << (vlan % 64);
        ref ulong word = ref _state.Filter.Vlans[vlan / 64];
        word = command.Command == 0 ? word | bit : word & ~bit;
        PublishRules();
        return true;
    }

    private bool AcknowledgeAnnounce(ControlCommand command)
    {
        if (command.Command != 0 || command.Left != 0 || !_state.AnnouncePending)
        {
            return false;
        }

        _state.AnnouncePending = false;
        return true;
    }

    private bool SetActivePairs(ControlCommand command)
    {
        if (!IsNegotiated(VirtioNetFeatures.MultiQueue)
            || !command.TryReadOnly(out ushort count)
            || count == 0
            || count > _config.QueuePairs)
        {
            return false;
        }

        // ORDER: a pair that goes stops before the back end detaches its queue, and one that comes starts after it is attached.
        for (int i = count; i < _state.ActivePairs; i++)
        {
            _pairs[i].Drain();
        }

        if (!TrySetActiveQueues(count))
        {
            for (int i = count; i < _state.ActivePairs; i++)
            {
                StartPair(i);
            }

            return false;
        }

        int before = _state.ActivePairs;
        _state.ActivePairs = count;
        for (int i = before; i < count; i++)
        {
            StartPair(i);
        }

        return true;
    }

    private bool SetGuestOffloads(ControlCommand command)
    {
        if (!IsNegotiated(VirtioNetFeatures.ControlGuestOffloads) || !command.TryReadOnly(out ulong offloads))
        {
            return false;
        }

        ulong allowed = _transport!.Features & VirtioNetFeatures.GuestOffloads;
        if ((offloads & ~allowed) != 0 || VirtioNetFeatures.Reject(offloads) is not null)
        {
            return false;
        }

        // ORDER: while the back end switches, frames of both kinds are let through.
        PublishRules(_state.GuestOffloads | offloads);
        bool isSet = TrySetOffloads(offloads);
        _state.GuestOffloads = isSet ? offloads : _state.GuestOffloads;
        PublishRules();
        return isSet;
    }
}
