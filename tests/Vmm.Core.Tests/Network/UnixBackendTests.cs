using System.Net.Sockets;
using Tmds.Linux;
using Vmm.Core.Linux;
using Vmm.Core.Network;

namespace Vmm.Core.Tests.Network;

public sealed class UnixBackendTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("vmm-net").FullName;
    private readonly PlainWire _wire = new();

    public void Dispose()
    {
        _wire.Dispose();
        Directory.Delete(_folder, true);
    }

    [Fact]
    public void Datagram_PeerComesLateAndAgain_IsReached()
    {
        using UnixDatagramBackend a = UnixDatagramBackend.Open(At("a"), At("b"));
        _wire.Send(a, PlainWire.Frame(60)).Should().Be(-LibC.ENOENT);
        using (UnixDatagramBackend b = UnixDatagramBackend.Open(At("b"), At("a")))
        {
            _wire.Send(a, PlainWire.Frame(60)).Should().Be(72);
            _wire.Take(b).Should().Equal(PlainWire.Frame(60));
            _wire.Send(b, PlainWire.Frame(61)).Should().Be(73);
            _wire.Take(a).Should().Equal(PlainWire.Frame(61));
        }

        _wire.Send(a, PlainWire.Frame(60)).Should().BeNegative();
        using UnixDatagramBackend again = UnixDatagramBackend.Open(NetworkDeviceOptions.Parse($"unix-dgram,path={At("b")},peer={At("a")}"));
        _wire.Send(a, PlainWire.Frame(62)).Should().Be(74);
        _wire.Take(again).Should().Equal(PlainWire.Frame(62));
    }

    [Fact]
    public void Datagram_Dispose_RemovesItsFileOnly()
    {
        UnixDatagramBackend.Open(At("a"), At("b")).Dispose();
        Directory.GetFileSystemEntries(_folder).Should().BeEmpty();
    }

    [Fact]
    public void Datagram_PathTaken_SaysSoAndStaleFileIsReplaced()
    {
        using UnixDatagramBackend a = UnixDatagramBackend.Open(At("a"), At("b"));
        FluentActions.Invoking(() => UnixDatagramBackend.Open(At("a"), At("c"))).Should().Throw<LinuxException>().WithMessage("bind on *a failed: Address already in use*Another process has its socket there*");
        string stale = At("stale");
        UnixDatagramBackend dead = UnixDatagramBackend.Open(stale, At("b"));
        dead.Readiness!.Dispose(); // As a killed process leaves it: closed, the file still there.
        File.Exists(stale).Should().BeTrue();
        UnixDatagramBackend.Open(stale, At("b")).Dispose();
        File.Exists(stale).Should().BeFalse();

        File.WriteAllText(At("file"), "mine");
        FluentActions.Invoking(() => UnixDatagramBackend.Open(At("file"), At("c"))).Should().Throw<LinuxException>();
        File.ReadAllText(At("file")).Should().Be("mine");
    }

    [Fact]
    public void Stream_Connects_SpeaksLengthPrefixed()
    {
        using Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(At("s")));
        listener.Listen();
        using UnixStreamBackend backend = UnixStreamBackend.Open(NetworkDeviceOptions.Parse($"unix-stream,path={At("s")}"));
        using Socket peer = listener.Accept();
        _wire.Send(backend, [1, 2, 3]).Should().Be(15);
        byte[] bytes = new byte[100];
        peer.Receive(bytes).Should().Be(7);
        bytes[..7].Should().Equal(0, 0, 0, 3, 1, 2, 3);

        byte[] sent = [0, 0, 0, 4, 9, 8, 7, 6, 0, 0, 0, 0, 0, 0, 0, 2, 5, 4];
        for (int i = 0; i < sent.Length; i++)
        {
            peer.Send(sent, i, 1, SocketFlags.None);
            byte[]? frame = _wire.Take(backend);
            (frame is null).Should().Be(i is not 7 and not 17);
            if (frame is not null)
            {
                frame.Should().Equal(i == 7 ? [9, 8, 7, 6] : [5, 4]);
            }
        }

        peer.Dispose();
        _wire.Take(2000, backend).Should().Be(-LibC.ECONNRESET);
        _wire.Send(backend, [1]).Should().Be(-LibC.EPIPE);
    }

    [Fact]
    public void Stream_ImpossibleLength_IsProtocolErrorForGood()
    {
        using Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(At("s")));
        listener.Listen();
        using UnixStreamBackend backend = UnixStreamBackend.Open(At("s"));
        using Socket peer = listener.Accept();
        peer.Send([0, 1, 0x10, 1, 0, 0, 0, 1, 5]);
        _wire.Take(2000, backend).Should().Be(-LibC.EPROTO);
        _wire.Take(2000, backend).Should().Be(-LibC.EPROTO);
    }

    [Fact]
    public void Stream_OtherFrameAfterPartOfOne_BothArriveWhole()
    {
        (UnixStreamBackend a, UnixStreamBackend b) = UnixStreamBackend.CreatePair(9000);
        int sent = 0;
        while (_wire.Send(a, PlainWire.Frame(9000, sent)) > 0)
        {
            sent++;
        }

        for (int i = 0; i < sent; i++)
        {
            _wire.Take(b).Should().Equal(PlainWire.Frame(9000, i));
        }

        // The frame that was refused may have gone in part; the guest forgot it, and sends another.
        _wire.Send(a, PlainWire.Frame(100, 77)).Should().Be(112);
        byte[] next = _wire.Take(b)!;
        if (next.Length == 9000)
        {
            next.Should().Equal(PlainWire.Frame(9000, sent));
            next = _wire.Take(b)!;
        }

        next.Should().Equal(PlainWire.Frame(100, 77));
        a.Dispose();
        b.Dispose();
    }

    [Fact]
    public void Stream_NobodyListens_SaysSo()
        => FluentActions.Invoking(() => UnixStreamBackend.Open(At("none"))).Should().Throw<LinuxException>().WithMessage("connect on *none failed*has to listen there first.");

    [Fact]
    public void Adopt_Descriptor_IsCheckedAndUsed()
    {
        using Socket udp = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        using FileStream file = File.OpenRead("/dev/null");
        FluentActions.Invoking(() => UnixDatagramBackend.Adopt(999)).Should().Throw<NetworkBackendException>().WithMessage("fd=999 is not an open descriptor.");
        FluentActions.Invoking(() => UnixDatagramBackend.Adopt(Number(file.SafeFileHandle))).Should().Throw<NetworkBackendException>().WithMessage("fd=* is no socket; a UNIX datagram socket is needed.");
        FluentActions.Invoking(() => UnixStreamBackend.Adopt(Number(udp.SafeHandle))).Should().Throw<NetworkBackendException>().WithMessage("fd=* is a socket of family 2 and type 2; a UNIX stream socket is needed.");

        (UnixStreamBackend a, UnixStreamBackend b) = UnixStreamBackend.CreatePair();
        FileDescriptor copy = a.Readiness!.Duplicate();
        using UnixStreamBackend adopted = UnixStreamBackend.Open(NetworkDeviceOptions.Parse($"unix-stream,fd={copy.Number}"));
        copy.SetHandleAsInvalid();
        a.Dispose();
        _wire.Send(adopted, PlainWire.Frame(60)).Should().Be(72);
        _wire.Take(b).Should().Equal(PlainWire.Frame(60));
        b.Dispose();
    }

    private static int Number(System.Runtime.InteropServices.SafeHandle handle) => (int)handle.DangerousGetHandle();

    private string At(string name) => Path.Combine(_folder, name);
}
