using Vmm.Core.State;

namespace Vmm.Core.Virtio;

/// <summary>All of a virtio-mmio transport that migrates: its registers and its queues, those that are not in use included.</summary>
internal struct VirtioMmioTransportState : IDescribed<VirtioMmioTransportState>
{
    public VirtioMmioState Registers;

    /// <summary>As many as the device has.</summary>
    public VirtqueueState[] Queues;

    public static string StateName => "virtio-mmio";

    public static void Describe<TVisitor>(ref TVisitor visitor, scoped ref VirtioMmioTransportState state) where TVisitor : IStateVisitor, allows ref struct
    {
        visitor.Struct("registers", ref state.Registers);
        visitor.Structs("queues", state.Queues.AsSpan());
    }
}
