using System.Buffers.Binary;
using System.Net.Sockets;
using Tmds.Linux;
using Vmm.Core.Linux;

namespace Vmm.Cli.Tests;

/// <summary>The demo guest's device on a UNIX socket, whose other end is the test: plain Ethernet frames both ways.</summary>
public sealed class UnixNetworkTests : IDisposable
{
    private const string GuestMac = "52:54:00:00:00:01";
    private const int F_SETFD = 2;
    private const int SIGTERM = 15;

    /// <summary>Who has 10.0.0.2?</summary>
    private static readonly byte[] _request = Convert.FromHexString(
        "FFFFFFFFFFFF" + "0200000000AA" + "0806" + "0001080006040001" + "0200000000AA" + "0A000001" + "000000000000" + "0A000002");

    private static readonly byte[] _reply = Convert.FromHexString(
        "0200000000AA" + "525400000001" + "0806" + "0001080006040002" + "525400000001" + "0A000002" + "0200000000AA" + "0A000001");

    private readonly TemporaryFolder _folder = new();

    public UnixNetworkTests() => Host.RequireKvm();

    [Fact]
    public void Datagrams_AreFramesBothWays_AndTheSocketGoesWithTheMachine()
    {
        using Socket peer = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { ReceiveTimeout = 10_000 };
        peer.Bind(new UnixDomainSocketEndPoint(_folder["peer"]));
        using VmmProcess process = Start($"unix-dgram,path={_folder["vmm"]},peer={_folder["peer"]},mac={GuestMac}");
        peer.Connect(new UnixDomainSocketEndPoint(_folder["vmm"]));

        ExpectDatagramEchoes(peer);

        process.Signal(SIGTERM);
        process.WaitForExit().Should().Be(ExitCode.SignalBase + SIGTERM);
        File.Exists(_folder["vmm"]).Should().BeFalse();
        process.Error.Should().BeEmpty();
    }

    [Fact]
    public void Stream_CarriesFramesBothWays_EachAfterItsLength()
    {
        using Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(_folder["peer"]));
        listener.Listen(1);
        using VmmProcess process = Start($"unix-stream,path={_folder["peer"]},mac={GuestMac}");
        using Socket peer = listener.Accept();

        ExpectStreamEchoes(peer);

        process.Error.Should().BeEmpty();
    }

    [Theory]
    [InlineData("unix-dgram")]
    [InlineData("unix-stream")]
    public unsafe void DescriptorOfTheParent_CarriesFramesBothWays(string backend)
    {
        bool isStream = backend == "unix-stream";
        int* ends = stackalloc int[2];
        LibC.socketpair(LibC.AF_UNIX, isStream ? LibC.SOCK_STREAM : LibC.SOCK_DGRAM, 0, ends).Should().Be(0);
        using Socket peer = new(new SafeSocketHandle(ends[0], ownsHandle: true)) { ReceiveTimeout = 10_000 };
        LibC.fcntl(ends[0], F_SETFD, LibC.FD_CLOEXEC).Should().Be(0);
        using FileDescriptor passed = new(ends[1]);
        using VmmProcess process = Start($"{backend},fd={passed.Number},mac={GuestMac}");
        passed.Dispose();

        if (isStream)
        {
            ExpectStreamEchoes(peer);
        }
        else
        {
            ExpectDatagramEchoes(peer);
        }

        process.Error.Should().BeEmpty();
    }

    public void Dispose() => _folder.Dispose();

    private static VmmProcess Start(string net)
    {
        VmmProcess process = VmmProcess.Start("run", "--kernel", "demo", "--memory", "64M", "--append", "ip=10.0.0.2", "--net", net);
        process.WaitForOutput("ready");
        return process;
    }

    private static void ExpectDatagramEchoes(Socket peer)
    {
        byte[] buffer = new byte[4096];
        ExpectEchoes(frame => peer.Send(frame).Should().Be(frame.Length), () => buffer[..peer.Receive(buffer)]);
    }

    private static void ExpectStreamEchoes(Socket peer)
    {
        using NetworkStream stream = new(peer) { ReadTimeout = 10_000 };
        byte[] length = new byte[4];
        ExpectEchoes(
            frame =>
            {
                byte[] message = new byte[4 + frame.Length];
                BinaryPrimitives.WriteInt32BigEndian(message, frame.Length);
                frame.CopyTo(message, 4);
                stream.Write(message);
            },
            () =>
            {
                stream.ReadExactly(length);
                byte[] frame = new byte[BinaryPrimitives.ReadInt32BigEndian(length)];
                stream.ReadExactly(frame);
                return frame;
            });
    }

    /// <summary>An ARP request is answered; frames of several lengths, the longest of MTU 1500 among them, come back with their addresses exchanged.</summary>
    private static void ExpectEchoes(Action<byte[]> send, Func<byte[]> receive)
    {
        send(_request);
        byte[] received = receive();
        while (IsAnnouncement(received))
        {
            received = receive();
        }

        // The guest may pad it to the shortest frame of Ethernet.
        received.Take(_reply.Length).Should().Equal(_reply);

        foreach (int length in (int[])[60, 61, 1513, 1514])
        {
            byte[] frame = new byte[length];
            new Random(length).NextBytes(frame);
            Convert.FromHexString("525400000001" + "0200000000AA" + "88B5").CopyTo(frame, 0);
            send(frame);

            byte[] echo = receive();

            echo.Take(14).Should().Equal(Convert.FromHexString("0200000000AA" + "525400000001" + "88B5"));
            echo.AsSpan(14).SequenceEqual(frame.AsSpan(14)).Should().BeTrue($"the payload of {length} bytes must not change");
        }
    }

    /// <summary>The guest's own ARP request for its address, by which it tells others that it is there.</summary>
    private static bool IsAnnouncement(byte[] frame) => frame[0] == 0xFF && frame[21] == 1;
}
