using System.Buffers.Binary;

namespace Vmm.DemoGuest;

/// <summary>The guest's answer to a UDP datagram on port <see cref="Port"/>.</summary>
/// <remarks>
/// <para>The request may be empty; bit 0 of its first byte asks to set the longest gap to 0 after it was read; bit 1 asks for <see cref="DemoGuestGaps"/> instead.</para>
/// <para>The answer is 448 bytes, little-endian, without padding, in this order: magic "DGST" (4), version = 2 (2), length = 448 (2);
/// then, 8 bytes each: uptime,
/// longest gap, main-loop iterations, interrupts, received frames, received bytes, sent frames, sent bytes, ARP replies, ICMP echoes,
/// UDP echoes, TCP segments mirrored, fragments mirrored, raw echoes, status requests, dropped frames, check passes, check errors,
/// first bad address, check size, features; then interface index (2), queue pairs (2), flags (4, bit 0: polling); then received frames
/// per queue pair (16 times 8) and sent frames per queue pair (16 times 8); then clock errors (8).</para>
/// <para>Counters are of the interface that was asked; uptime, gap, iterations, check and clock errors are of the guest. Bytes are those of Ethernet
/// frames without the virtio-net header. The answer itself is not yet counted as sent.</para>
/// </remarks>
public sealed class DemoGuestStatus
{
    /// <summary>The UDP port that answers status requests.</summary>
    public const ushort Port = 9;

    /// <summary>The UDP port that echoes, and the TCP port that mirrors segments.</summary>
    public const ushort EchoPort = 7;

    /// <summary>Length of the answer in bytes.</summary>
    public const int Size = StatusLayout.Size;

    /// <summary>Queue pairs for which the answer has counters.</summary>
    public const int MaximumQueuePairs = InterfaceLayout.MaximumPairs;

    /// <summary>First byte of a request that sets the longest gap to 0 after it was read.</summary>
    public const byte ResetLongestGap = StatusLayout.RequestResetGap;

    /// <summary>Time since the guest started, in ticks of its time-stamp counter.</summary>
    public required ulong UptimeTicks { get; init; }

    /// <summary>
    /// Longest time between two iterations of the main loop, in TSC ticks, since the start or the last reset. Without <see
    /// cref="IsPolling"/> the guest sleeps
    /// between iterations, and it says little.
    /// </summary>
    public required ulong LongestGapTicks { get; init; }

    /// <summary>Iterations of the main loop.</summary>
    public required ulong Iterations { get; init; }

    /// <summary>Interrupts of the interface, and of one that shares its vector (n and n + 16 do).</summary>
    public required ulong Interrupts { get; init; }

    /// <summary>Frames received.</summary>
    public required ulong ReceivedFrames { get; init; }

    /// <summary>Bytes received.</summary>
    public required ulong ReceivedBytes { get; init; }

    /// <summary>Frames sent.</summary>
    public required ulong SentFrames { get; init; }

    /// <summary>Bytes sent.</summary>
    public required ulong SentBytes { get; init; }

    /// <summary>ARP requests answered.</summary>
    public required ulong ArpReplies { get; init; }

    /// <summary>ICMP echo requests answered.</summary>
    public required ulong IcmpEchoes { get; init; }

    /// <summary>UDP datagrams echoed (trailing fragments not counted).</summary>
    public required ulong UdpEchoes { get; init; }

    /// <summary>TCP segments mirrored.</summary>
    public required ulong TcpMirrored { get; init; }

    /// <summary>Trailing fragments of ICMP and UDP mirrored.</summary>
    public required ulong FragmentsMirrored { get; init; }

    /// <summary>Frames of EtherType 0x88B5 mirrored.</summary>
    public required ulong RawEchoes { get; init; }

    /// <summary>Status requests, this one included.</summary>
    public required ulong StatusRequests { get; init; }

    /// <summary>
    /// Frames received and not answered: of other protocols, for others, malformed, or of a segmentation that can't be sent.
    /// </summary>
    public required ulong Dropped { get; init; }

    /// <summary>Times that the whole checked region was verified.</summary>
    public required ulong CheckPasses { get; init; }

    /// <summary>Words of the checked region that were not as written.</summary>
    public required ulong CheckErrors { get; init; }

    /// <summary>Guest-physical address of the first such word, 0 when there was none.</summary>
    public required ulong CheckFirstBadAddress { get; init; }

    /// <summary>Size of the checked region in bytes.</summary>
    public required ulong CheckSize { get; init; }

    /// <summary>Feature bits that were negotiated.</summary>
    public required ulong Features { get; init; }

    /// <summary>Which interface this is, from 0.</summary>
    public required ushort InterfaceIndex { get; init; }

    /// <summary>Queue pairs in use.</summary>
    public required ushort QueuePairs { get; init; }

    /// <summary>Whether the guest's main loop polls.</summary>
    public required bool IsPolling { get; init; }

    /// <summary>Frames received per queue pair; <see cref="MaximumQueuePairs"/> entries.</summary>
    public required IReadOnlyList<ulong> PairReceived { get; init; }

    /// <summary>Frames sent per queue pair; <see cref="MaximumQueuePairs"/> entries.</summary>
    public required IReadOnlyList<ulong> PairSent { get; init; }

    /// <summary>Times that the time-stamp counter was found to be less than an iteration of the main loop before.</summary>
    public required ulong ClockErrors { get; init; }

    /// <summary>Reads an answer.</summary>
    /// <param name="datagram">Payload of the UDP datagram.</param>
    /// <returns>Null when it is not a status answer of this version.</returns>
    public static DemoGuestStatus? TryParse(ReadOnlySpan<byte> datagram)
    {
        if (datagram.Length < Size
            || BinaryPrimitives.ReadUInt32LittleEndian(datagram) != StatusLayout.MagicValue
            || BinaryPrimitives.ReadUInt16LittleEndian(datagram[StatusLayout.Version..]) != StatusLayout.VersionValue
            || BinaryPrimitives.ReadUInt16LittleEndian(datagram[StatusLayout.Length..]) != Size)
        {
            return null;
        }
        return new DemoGuestStatus
        {
            UptimeTicks = Field(datagram, StatusLayout.Uptime),
            LongestGapTicks = Field(datagram, StatusLayout.LongestGap),
            Iterations = Field(datagram, StatusLayout.Iterations),
            Interrupts = Field(datagram, StatusLayout.Interrupts),
            ReceivedFrames = Field(datagram, StatusLayout.ReceivedFrames),
            ReceivedBytes = Field(datagram, StatusLayout.ReceivedBytes),
            SentFrames = Field(datagram, StatusLayout.SentFrames),
            SentBytes = Field(datagram, StatusLayout.SentBytes),
            ArpReplies = Field(datagram, StatusLayout.ArpReplies),
            IcmpEchoes = Field(datagram, StatusLayout.IcmpEchoes),
            UdpEchoes = Field(datagram, StatusLayout.UdpEchoes),
            TcpMirrored = Field(datagram, StatusLayout.TcpMirrored),
            FragmentsMirrored = Field(datagram, StatusLayout.FragmentsMirrored),
            RawEchoes = Field(datagram, StatusLayout.RawEchoes),
            StatusRequests = Field(datagram, StatusLayout.StatusRequests),
            Dropped = Field(datagram, StatusLayout.Dropped),
            CheckPasses = Field(datagram, StatusLayout.CheckPasses),
            CheckErrors = Field(datagram, StatusLayout.CheckErrors),
            CheckFirstBadAddress = Field(datagram, StatusLayout.CheckFirstBad),
            CheckSize = Field(datagram, StatusLayout.CheckSize),
            Features = Field(datagram, StatusLayout.Features),
            InterfaceIndex = BinaryPrimitives.ReadUInt16LittleEndian(datagram[StatusLayout.InterfaceIndex..]),
            QueuePairs = BinaryPrimitives.ReadUInt16LittleEndian(datagram[StatusLayout.QueuePairs..]),
            IsPolling = (datagram[StatusLayout.Flags] & StatusLayout.FlagPolling) != 0,
            PairReceived = Fields(datagram, StatusLayout.PairReceived),
            PairSent = Fields(datagram, StatusLayout.PairSent),
            ClockErrors = Field(datagram, StatusLayout.ClockErrors),
        };
    }

    private static ulong Field(ReadOnlySpan<byte> datagram, int offset) => BinaryPrimitives.ReadUInt64LittleEndian(datagram[offset..]);

    private static ulong[] Fields(ReadOnlySpan<byte> datagram, int offset)
    {
        ulong[] values = new ulong[MaximumQueuePairs];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = Field(datagram, offset + (8 * i));
        }
        return values;
    }
}
