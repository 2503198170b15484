using Vmm.Core.Linux;
using Vmm.Core.Network;
using Vmm.Core.State;

namespace Vmm.Backends.Tap;

/// <summary>A TAP's open descriptors and what is fixed about it: with them another process goes on with the very same interface.</summary>
public struct TapResources : IDescribed<TapResources>
{
    private const int NameSize = 16; // IFNAMSIZ

    /// <summary>IFNAMSIZ bytes, filled up with zeros.</summary>
    internal InterfaceNameBytes Name;

    /// <summary>Bytes of virtio_net_hdr before each frame.</summary>
    internal uint HeaderSize;

    /// <summary>The interface's MTU, 0 when it is not known.</summary>
    internal uint Mtu;

    /// <summary>What TUNSETOFFLOAD takes (TUN_F_*).</summary>
    internal NetworkOffloads SupportedOffloads;

    /// <summary>One for each queue, in queue order.</summary>
    internal FileDescriptor?[]? Queues;

    /// <summary>Only where the kernel runs the rings.</summary>
    internal VhostResources Vhost;

    public static string StateName => "tap-resources";

    public static void Describe<TVisitor>(ref TVisitor visitor, scoped ref TapResources state) where TVisitor : IStateVisitor, allows ref struct
    {
        visitor.Bytes("ifname", state.Name);
        visitor.Field("vnet_hdr_size", ref state.HeaderSize);
        visitor.Field("mtu", ref state.Mtu);
        visitor.Field("supported_offloads", ref state.SupportedOffloads);
        int count = state.Queues?.Length ?? 0;
        visitor.Count("queues", ref count, Tun.MAX_TAP_QUEUES);
        state.Queues = state.Queues?.Length == count ? state.Queues : new FileDescriptor?[count];
        foreach (ref FileDescriptor? queue in state.Queues.AsSpan())
        {
            visitor.Descriptor("fd", ref queue);
        }

        visitor.Subsection("tap-resources/vhost", version: 1, minimum: 1, needed: state.Vhost.Queues is not null, ref state.Vhost);
    }

    public static string? PostLoad(scoped ref TapResources state) => state.Queues!.Length == 0 ? "queues 0 is less than 1" : null;

    [System.Runtime.CompilerServices.InlineArray(NameSize)]
    internal struct InterfaceNameBytes
    {
        private byte _first;

        public static InterfaceNameBytes From(string name)
        {
            InterfaceNameBytes bytes = default;
            System.Text.Encoding.UTF8.GetBytes(name, ((Span<byte>)bytes)[..(NameSize - 1)]);
            return bytes;
        }

        public override readonly string ToString() => System.Text.Encoding.UTF8.GetString(((ReadOnlySpan<byte>)this)[..((ReadOnlySpan<byte>)this).IndexOf((byte)0)]);
    }
}
