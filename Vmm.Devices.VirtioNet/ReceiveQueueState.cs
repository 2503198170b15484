using Vmm.Core.Memory;
using Vmm.Core.State;

namespace Vmm.Devices.VirtioNet;

/// <summary>All that changes in a receive queue beside its ring.</summary>
internal struct ReceiveQueueState : IDescribed<ReceiveQueueState>
{
    /// <summary>The bytes of a frame, header first, that was read from the back end and that the guest has no buffers for yet.</summary>
    public HostBuffer PendingFrame;

    /// <summary>Its bytes; 0 when there is none.</summary>
    public int PendingLength;

    public static string StateName => "virtio-net-pair";

    public static void Describe<TVisitor>(ref TVisitor visitor, scoped ref ReceiveQueueState state) where TVisitor : IStateVisitor, allows ref struct
    {
        visitor.Count("pending_length", ref state.PendingLength, state.PendingFrame.Length);
        visitor.Bytes("pending_frame", state.PendingFrame.Span[..state.PendingLength]);
    }
}
