using System.Net.Sockets;
using Vmm.Core.Linux;
using Vmm.Core.Network;

namespace Vmm.Core.Tests.Linux;

/// <summary>The names of the console's and the network's sockets; other processes' sockets are played by <see cref="Socket"/>.</summary>
public sealed class UnixSocketFileTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("vmm-name");

    private string At => Path.Combine(_folder.FullName, "s");

    [Theory]
    [InlineData(SocketType.Stream)]
    [InlineData(SocketType.Seqpacket)]
    public void Bind_LiveListener_IsRefusedAndTheListenerSeesNoClient(SocketType type)
    {
        using Socket listener = Bound(type);
        listener.Listen(1);

        Opening(ListenerAt).Should().Throw<LinuxException>().WithMessage("bind on *s failed: Address already in use*Another process has its socket there*");
        Opening(BackendAt).Should().Throw<LinuxException>().WithMessage("*Another process has its socket there*");

        listener.Poll(0, SelectMode.SelectRead).Should().BeFalse("nobody connected");
        using Socket client = Connected();
        listener.Poll(20_000_000, SelectMode.SelectRead).Should().BeTrue();

        Socket Connected()
        {
            Socket socket = new(AddressFamily.Unix, type, ProtocolType.Unspecified);
            socket.Connect(new UnixDomainSocketEndPoint(At));
            return socket;
        }
    }

    [Theory]
    [InlineData(SocketType.Stream)]
    [InlineData(SocketType.Dgram)]
    public void Bind_BoundSocketThatDoesNotListenYet_IsRefused(SocketType type)
    {
        using Socket other = Bound(type);
        Opening(ListenerAt).Should().Throw<LinuxException>();
        Opening(BackendAt).Should().Throw<LinuxException>();
        File.Exists(At).Should().BeTrue();
    }

    [Fact]
    public void Dispose_NameThatIsAnothersByNow_Stays()
    {
        foreach (Func<IDisposable> open in new Func<IDisposable>[] { ListenerAt, BackendAt })
        {
            IDisposable ours = open();
            File.Delete(At);
            using Socket other = Bound(SocketType.Stream);
            ours.Dispose();
            File.Exists(At).Should().BeTrue("it is the other's");
            File.Delete(At);
        }
    }

    [Fact]
    public void Dispose_Twice_RemovesOnce()
    {
        foreach (Func<IDisposable> open in new Func<IDisposable>[] { ListenerAt, BackendAt })
        {
            IDisposable ours = open();
            ours.Dispose();
            File.Exists(At).Should().BeFalse();
            using Socket other = Bound(SocketType.Dgram);
            ours.Dispose();
            File.Exists(At).Should().BeTrue();
            File.Delete(At);
        }
    }

    [Fact]
    public void Bind_WhatIsNoSocket_IsNamedAndKept()
    {
        File.WriteAllText(At, "mine");
        Opening(ListenerAt).Should().Throw<LinuxException>().WithMessage($"bind on {At} failed*{At} is there and is not a socket*");
        Opening(BackendAt).Should().Throw<LinuxException>().WithMessage($"bind on {At} failed*{At} is there and is not a socket*");
        File.ReadAllText(At).Should().Be("mine");
    }

    [Fact]
    public void Bind_LinkToADeadSocket_IsKept()
    {
        string dead = At + ".dead";
        using (Socket stale = Bound(SocketType.Dgram))
        {
            File.Move(At, dead);
        }

        File.CreateSymbolicLink(At, dead);
        Opening(BackendAt).Should().Throw<LinuxException>().WithMessage("*is not a socket*");
        new FileInfo(At).LinkTarget.Should().Be(dead);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static Action Opening(Func<IDisposable> open) => () => open().Dispose();

    private UnixListener ListenerAt() => new(At);

    private UnixDatagramBackend BackendAt() => UnixDatagramBackend.Open(At, At + ".peer");

    private Socket Bound(SocketType type)
    {
        Socket socket = new(AddressFamily.Unix, type, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(At));
        return socket;
    }
}
