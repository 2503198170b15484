using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Vmm.Backends.Tap;
using Vmm.DemoGuest;

namespace Vmm.Cli.Demo;

/// <summary>A network namespace with the host's end of a demo guest's wire. The TAP is the machine's, which is built or started in <see cref="Namespace"/>.</summary>
internal sealed class DemoNetwork(string name) : IDisposable
{
    public const string Interface = "vmtap0";
    private const int PrefixLength = 24;
    private const int PingPayload = 56;

    private static readonly TimeSpan _answerLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan _bootPingLimit = TimeSpan.FromMilliseconds(20);

    public static IPAddress HostAddress { get; } = IPAddress.Parse("10.0.0.1");

    public static IPAddress GuestAddress { get; } = IPAddress.Parse("10.0.0.2");

    public NetworkNamespace Namespace { get; } = NetworkNamespace.Create(name);

    /// <summary>Gives the host its address, as soon as the machine has made the TAP.</summary>
    public void Configure() => Namespace.Run(() => NetworkLink.AddIPAddress(Interface, HostAddress, PrefixLength));

    public IcmpEchoClient OpenIcmp() => Namespace.Run(() => new IcmpEchoClient(GuestAddress));

    public UdpEchoClient OpenUdp() => Namespace.Run(() => new UdpEchoClient(new IPEndPoint(GuestAddress, DemoGuestStatus.EchoPort)));

    /// <summary>Pings until the guest answers.</summary>
    /// <param name="icmp">An unused client.</param>
    /// <param name="limit">How long it may take.</param>
    /// <param name="proceed">False ends it early.</param>
    public static bool WaitForFirstAnswer(IcmpEchoClient icmp, TimeSpan limit, Func<bool> proceed)
    {
        long start = Stopwatch.GetTimestamp();
        while (proceed() && Stopwatch.GetElapsedTime(start) < limit)
        {
            if (icmp.Run(1, 1, PingPayload, _bootPingLimit).Answered == 1)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Asks the guest how it is; null when it does not answer.</summary>
    /// <param name="request">0, or <see cref="DemoGuestStatus.ResetLongestGap"/>.</param>
    public DemoGuestStatus? RequestStatus(byte request = 0) => DemoGuestStatus.TryParse(Request(request));

    /// <summary>Asks the guest when it was away of late; null when it does not answer.</summary>
    public DemoGuestGaps? RequestGaps() => DemoGuestGaps.TryParse(Request(DemoGuestGaps.Request));

    public void Dispose() => Namespace.Dispose();

    private byte[]? Request(byte request)
    {
        using Socket socket = Namespace.Run(() => new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp));
        socket.ReceiveTimeout = (int)_answerLimit.TotalMilliseconds;
        try
        {
            socket.Connect(new IPEndPoint(GuestAddress, DemoGuestStatus.Port));
            socket.Send([request]);
        }
        catch (SocketException)
        {
            // The interface has gone with the machine.
            return null;
        }

        byte[] answer = new byte[DemoGuestStatus.Size];
        int length = socket.Receive(answer, SocketFlags.None, out SocketError error);
        return error == SocketError.Success ? answer[..length] : null;
    }
}
