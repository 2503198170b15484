using Vmm.Core.State;

namespace Vmm.Devices.VirtioNet;

/// <summary>All of a network device that migrates, but for its rings, which are the transport's.</summary>
internal struct VirtioNetSectionState : IDescribed<VirtioNetSectionState>
{
    public VirtioNetState Device;

    /// <summary>One for each queue pair.</summary>
    public ReceiveQueueState[] Pairs;

    public static string StateName => "virtio-net";

    public static void Describe<TVisitor>(ref TVisitor visitor, scoped ref VirtioNetSectionState state) where TVisitor : IStateVisitor, allows ref struct
    {
        visitor.Struct("device", ref state.Device);
        visitor.Structs("pairs", state.Pairs.AsSpan());
    }
}
