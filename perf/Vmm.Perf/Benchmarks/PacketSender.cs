using System.Runtime.InteropServices;
using Tmds.Linux;
using Vmm.Core.Linux;

namespace Vmm.Perf.Benchmarks;

/// <summary>A packet socket (packet(7)) that puts frames, large ones included, on an interface.</summary>
internal sealed unsafe partial class PacketSender : FileDescriptor
{
    private const int PACKET_VNET_HDR = 15;
    private const int PACKET_QDISC_BYPASS = 20;
    private const int SOL_PACKET = 263;

    private readonly byte[] _frame;

    /// <param name="interfaceIndex">In the network namespace of the calling thread.</param>
    /// <param name="frame">With a 12-byte virtio_net_hdr, of which the socket takes the first 10.</param>
    public PacketSender(int interfaceIndex, byte[] frame)
        : base(LinuxException.ThrowIfFailed(LibC.socket(LibC.AF_PACKET, LibC.SOCK_RAW | LibC.SOCK_CLOEXEC, 0), "socket(AF_PACKET)", "a sender"))
    {
        _frame = GC.AllocateUninitializedArray<byte>(frame.Length - 2, pinned: true);
        frame.AsSpan(0, 10).CopyTo(_frame);
        frame.AsSpan(12).CopyTo(_frame.AsSpan(10));
        Set(PACKET_VNET_HDR);
        Set(PACKET_QDISC_BYPASS);
        sockaddr_ll address = new() { sll_family = (ushort)LibC.AF_PACKET, sll_ifindex = interfaceIndex };
        // SAFETY: the address is a local of its full size.
        LinuxException.ThrowIfFailed(LibC.bind(Number, (sockaddr*)&address, sizeof(sockaddr_ll)), "bind", "a packet socket");
    }

    public void Send()
    {
        // SAFETY: the array is pinned for its life.
        fixed (byte* frame = _frame)
        {
            if (LibC.write(Number, frame, _frame.Length) != _frame.Length)
            {
                throw new LinuxException("write", $"a packet socket, {_frame.Length} bytes", LibC.errno);
            }
        }
    }

    private void Set(int option)
    {
        int one = 1;
        LinuxException.ThrowIfFailed(LibC.setsockopt(Number, SOL_PACKET, option, &one, sizeof(int)), "setsockopt", $"a packet socket, option {option}");
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct sockaddr_ll
    {
        public ushort sll_family;
        public ushort sll_protocol;
        public int sll_ifindex;
        public ushort sll_hatype;
        public byte sll_pkttype;
        public byte sll_halen;
        public ulong sll_addr;
    }
}
