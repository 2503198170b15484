using System.Net.Sockets;
using Vmm.Core.Consoles;
using Vmm.Core.Events;
using Vmm.Core.Linux;
using Vmm.Core.Machine;

namespace Vmm.Core.Tests.Consoles;

public sealed class UnixSocketConsoleTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("vmm-console");
    private readonly EventLoop _loop = new("console test");
    private readonly IConsole _console;
    private readonly SlowReceiver _guest;

    public UnixSocketConsoleTests()
    {
        _console = Open();
        _guest = new SlowReceiver(_console, 16);
        _console.Start(_guest);
    }

    private string SocketPath => Path.Combine(_folder.FullName, "vm.sock");

    [Fact]
    public void Client_SendsMoreThanTheGuestTakes_ArrivesCompleteAndInOrder()
    {
        byte[] sent = [.. Enumerable.Range(0, 20_000).Select(i => (byte)(i * 13))];
        using Socket client = Connect();
        client.Send(sent);
        Eventually.Holds(() => _guest.Taken.Length == 16, "the first FIFO");
        while (_guest.Taken.Length < sent.Length)
        {
            int before = _guest.Taken.Length;
            _guest.MakeRoom(777);
            Eventually.Holds(() => _guest.Taken.Length == Math.Min(before + 777, sent.Length), "the next part");
        }

        _guest.Taken.Should().Equal(sent);
    }

    [Fact]
    public void Output_BeforeAClientAndBetweenClients_IsKeptForTheNext()
    {
        _console.Write("early "u8);
        using (Socket first = Connect())
        {
            _console.Write("first"u8);
            ReadText(first, 11).Should().Be("early first");
        }

        using Socket second = Connect();
        WaitForGreeting(second);
        _guest.MakeRoom(100);
        second.Send("typed"u8);
        Eventually.Holds(() => _guest.Taken.Length == 5, "input of the second client");
    }

    [Fact]
    public void SecondClient_WaitsUntilTheFirstHasGone()
    {
        using Socket first = Connect();
        first.Send("1"u8);
        Eventually.Holds(() => _guest.Taken.Length == 1, "the first is connected");
        using Socket second = Connect();
        _console.Write("to the first"u8);
        ReadText(first, 12).Should().Be("to the first");
        second.Available.Should().Be(0);
        first.Dispose();
        WaitForGreeting(second);
    }

    [Fact]
    public void Client_LeavesWhileTheGuestTakesNothing_NextClientIsServedAndInputIsKept()
    {
        using (Socket first = Connect())
        {
            first.Send(new byte[40]);
            Eventually.Holds(() => _guest.Taken.Length == 16, "the FIFO is full");
        }

        using Socket second = Connect();
        WaitForGreeting(second);
        _guest.MakeRoom(100);
        Eventually.Holds(() => _guest.Taken.Length == 40, "what the first had sent");
        second.Send("x"u8);
        Eventually.Holds(() => _guest.Taken.Length == 41, "what the second sends");
    }

    [Fact]
    public void Client_ClosesItsSendingSide_StillReads()
    {
        using Socket client = Connect();
        client.Send("q"u8);
        client.Shutdown(SocketShutdown.Send);
        Eventually.Holds(() => _guest.Taken.Length == 1, "its input");
        _console.Write("answer"u8);
        ReadText(client, 6).Should().Be("answer");
    }

    [Fact]
    public void Output_NobodyReads_NeverBlocksAndKeepsTheLastBytes()
    {
        byte[] line = new byte[1000];
        for (int i = 0; i < 1000; i++)
        {
            line.AsSpan().Fill((byte)i);
            _console.Write(line);
        }

        _console.DroppedBytes.Should().Be(1_000_000 - 65536);
        using Socket client = Connect();
        byte[] kept = new byte[65536];
        for (int done = 0; done < kept.Length;)
        {
            done += client.Receive(kept.AsSpan(done));
        }

        kept[^1000..].Should().OnlyContain(b => b == 999 % 256);
        kept[^1001].Should().Be(998 % 256);
    }

    [Fact]
    public void Dispose_RemovesTheSocket()
    {
        File.Exists(SocketPath).Should().BeTrue();
        _console.Dispose();
        File.Exists(SocketPath).Should().BeFalse();
    }

    /// <summary>What a live update does in the old process.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Abandon_LeavesTheSocketToItsNextOwner(bool hasClient)
    {
        using Socket? client = hasClient ? Connect() : null;
        if (client is not null)
        {
            WaitForGreeting(client);
        }

        _console.Abandon();

        File.Exists(SocketPath).Should().BeTrue();
    }

    [Fact]
    public void Open_PathInUseOrTaken_IsRefused()
    {
        Action again = () => Open().Dispose();
        again.Should().Throw<LinuxException>().WithMessage("bind on */vm.sock failed: Address already in use*choose another path*");
        string file = Path.Combine(_folder.FullName, "file");
        File.WriteAllText(file, "mine");
        Action onFile = () => ConsoleFactory.Open(new ConsoleOptions(ConsoleKind.UnixSocket, file), _loop, new MachineLifetime()).Dispose();
        onFile.Should().Throw<LinuxException>().WithMessage("bind on*");
        File.ReadAllText(file).Should().Be("mine");
    }

    [Fact]
    public void Open_SocketLeftByAKilledProcess_IsReplaced()
    {
        string path = Path.Combine(_folder.FullName, "stale.sock");
        using (Socket stale = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            stale.Bind(new UnixDomainSocketEndPoint(path));
            stale.Listen();
            File.Move(path, path + ".kept");
        }

        File.Move(path + ".kept", path);
        using IConsole console = ConsoleFactory.Open(new ConsoleOptions(ConsoleKind.UnixSocket, path), _loop, new MachineLifetime());
        using Socket client = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        client.Connect(new UnixDomainSocketEndPoint(path));
    }

    public void Dispose()
    {
        _console.Dispose();
        _loop.Dispose();
        _folder.Delete(recursive: true);
    }

    private IConsole Open() => ConsoleFactory.Open(ConsoleOptions.Parse("unix:" + SocketPath), _loop, new MachineLifetime());

    private Socket Connect()
    {
        Socket client = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { ReceiveTimeout = 20_000 };
        client.Connect(new UnixDomainSocketEndPoint(SocketPath));
        return client;
    }

    /// <summary>The console serves this client: what is written now reaches it, after the last client's remains.</summary>
    private void WaitForGreeting(Socket client)
    {
        Eventually.Holds(
            () =>
            {
                _console.Write("."u8);
                return client.Poll(1000, SelectMode.SelectRead) && client.Available > 0;
            },
            "the console serves the client");
    }

    private static string ReadText(Socket client, int length)
    {
        byte[] bytes = new byte[length];
        for (int done = 0; done < length;)
        {
            done += client.Receive(bytes.AsSpan(done));
        }

        return System.Text.Encoding.ASCII.GetString(bytes);
    }
}
