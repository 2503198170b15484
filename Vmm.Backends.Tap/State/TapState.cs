using Vmm.Core.Network;
using Vmm.Core.State;

namespace Vmm.Backends.Tap;

/// <summary>
/// What the guest has set in a TAP. The kernel keeps it with the interface and a hand-over changes nothing of it, but it can't be asked for
/// the offloads: so they travel.
/// </summary>
internal struct TapState : IDescribed<TapState>
{
    /// <summary>TUN_F_*, as TUNSETOFFLOAD was told.</summary>
    public NetworkOffloads Offloads;

    /// <summary>Queues that are attached (IFF_ATTACH_QUEUE), from the first one on.</summary>
    public ushort ActiveQueues;

    public static string StateName => "tap";

    public static void Describe<TVisitor>(ref TVisitor visitor, scoped ref TapState state) where TVisitor : IStateVisitor, allows ref struct
    {
        visitor.Field("offloads", ref state.Offloads);
        visitor.Field("active_queues", ref state.ActiveQueues);
    }
}
