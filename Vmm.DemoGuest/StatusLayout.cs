namespace Vmm.DemoGuest;

/// <summary>Offsets in the answer to a status request; see <see cref="DemoGuestStatus"/>.</summary>
internal static class StatusLayout
{
    public const int Magic = 0;
    public const int Version = 4;
    public const int Length = 6;
    public const int Uptime = 8;
    public const int LongestGap = 16;
    public const int Iterations = 24;
    public const int Interrupts = 32;
    public const int ReceivedFrames = 40;
    public const int ReceivedBytes = 48;
    public const int SentFrames = 56;
    public const int SentBytes = 64;
    public const int ArpReplies = 72;
    public const int IcmpEchoes = 80;
    public const int UdpEchoes = 88;
    public const int TcpMirrored = 96;
    public const int FragmentsMirrored = 104;
    public const int RawEchoes = 112;
    public const int StatusRequests = 120;
    public const int Dropped = 128;
    public const int CheckPasses = 136;
    public const int CheckErrors = 144;
    public const int CheckFirstBad = 152;
    public const int CheckSize = 160;
    public const int Features = 168;
    public const int InterfaceIndex = 176;
    public const int QueuePairs = 178;
    public const int Flags = 180;
    public const int PairReceived = 184;
    public const int PairSent = 312;
    public const int ClockErrors = 440;
    public const int Size = 448;

    public const uint MagicValue = 0x5453_4744; // "DGST"
    public const ushort VersionValue = 2;
    public const byte FlagPolling = 1;
    public const byte RequestResetGap = 1;
    public const byte RequestGaps = 2;
}
