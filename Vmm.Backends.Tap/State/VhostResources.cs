using Vmm.Core.Linux;
using Vmm.Core.State;

namespace Vmm.Backends.Tap;

/// <summary>
/// Open files of /dev/vhost-net with which another process goes on: fresh ones that nobody owns, or, when the sender may not open any, its
/// own, which it gives up once its rings stand still.
/// </summary>
internal struct VhostResources : IDescribed<VhostResources>
{
    /// <summary>They are the sender's own: nobody else can own them before its rings stand still.</summary>
    public bool InUse;

    /// <summary>One for each queue pair, in queue order; null without vhost.</summary>
    public FileDescriptor?[]? Queues;

    public static string StateName => "tap-vhost";

    public static void Describe<TVisitor>(ref TVisitor visitor, scoped ref VhostResources state) where TVisitor : IStateVisitor, allows ref struct
    {
        visitor.Field("in_use", ref state.InUse);
        int count = state.Queues?.Length ?? 0;
        visitor.Count("queues", ref count, Tun.MAX_TAP_QUEUES);
        state.Queues = state.Queues?.Length == count ? state.Queues : new FileDescriptor?[count];
        foreach (ref FileDescriptor? queue in state.Queues.AsSpan())
        {
            visitor.Descriptor("fd", ref queue);
        }
    }
}
