using Tmds.Linux;
using Vmm.Core.Linux;

namespace Vmm.Cli.Tests.Harness;

/// <summary>One live update whose messages go through the test.</summary>
/// <param name="destination">The destination's process.</param>
/// <param name="toSource">The source's channel.</param>
/// <param name="toDestination">The destination's.</param>
/// <param name="onMessage">See <see cref="Interposer.OnMessage"/>.</param>
/// <param name="onFailure">Told what that threw; both processes find their channels closed then.</param>
internal sealed class InterposedUpdate(
    int destination, MessageSocket toSource, MessageSocket toDestination, Func<InterposedUpdate, PassingMessage, IEnumerable<PassingMessage>> onMessage, Action<Exception> onFailure)
{
    private const int SHUT_RDWR = 2;

    private readonly HashSet<MessageSocket> _closed = [];
    private int _running = 2;

    public int Destination => destination;

    public void Start()
    {
        foreach ((MessageSocket from, MessageSocket to) in ((MessageSocket, MessageSocket)[])[(toSource, toDestination), (toDestination, toSource)])
        {
            new Thread(() => Pass(from, to)) { Name = "interposed", IsBackground = true }.Start();
        }
    }

    /// <summary>The source finds its channel closed; the destination finds its own open.</summary>
    public void CloseSource() => CloseOne(toSource);

    /// <summary>The destination finds its channel closed; the source finds its own open.</summary>
    public void CloseDestination() => CloseOne(toDestination);

    private void CloseOne(MessageSocket socket)
    {
        lock (_closed)
        {
            _closed.Add(socket);
        }

        Close(socket);
    }

    private bool WasClosed(MessageSocket socket)
    {
        lock (_closed)
        {
            return _closed.Contains(socket);
        }
    }

    // The file stays ours until both directions have ended: its number must not become another file's under a thread that reads from it.
    private static void Close(MessageSocket socket) => _ = LibC.shutdown(socket.Number, SHUT_RDWR);

    private void Pass(MessageSocket from, MessageSocket to)
    {
        while (Read(from) is { } message)
        {
            if (Ask(message) is not { } passing)
            {
                Close(from);
                break;
            }

            foreach (PassingMessage next in passing)
            {
                Write(to, next.Bytes, next.Files);
            }

            foreach (FileDescriptor file in passing.Append(message).SelectMany(m => m.Files).Distinct())
            {
                file.Dispose();
            }
        }

        if (!WasClosed(from))
        {
            Close(to);
        }

        if (Interlocked.Decrement(ref _running) == 0)
        {
            toSource.Dispose();
            toDestination.Dispose();
        }
    }

    /// <returns>Null when the test has failed at it.</returns>
    private PassingMessage[]? Ask(PassingMessage message)
    {
        try
        {
            return [.. onMessage(this, message)];
        }
#pragma warning disable CA1031 // It is the test's, which is told.
        catch (Exception e)
#pragma warning restore CA1031
        {
            onFailure(e);
            return null;
        }
    }

    /// <summary>Null at the end.</summary>
    private static PassingMessage? Read(MessageSocket socket)
    {
        List<FileDescriptor> files = [];
        byte[] header = new byte[PassingMessage.HeaderSize];
        if (!Fill(socket, header, files))
        {
            return null;
        }

        byte[] body = new byte[PassingMessage.LengthOf(header)];
        return Fill(socket, body, files) ? new PassingMessage(header, body, files) : null;
    }

    private static bool Fill(MessageSocket socket, Span<byte> target, List<FileDescriptor> files)
    {
        while (target.Length > 0)
        {
            socket.Wait(LibC.POLLIN, -1);
            int received = socket.Receive(target, files);
            if (received == 0 || (received < 0 && received != -LibC.EAGAIN))
            {
                return false;
            }

            target = target[Math.Max(0, received)..];
        }

        return true;
    }

    private static void Write(MessageSocket socket, ReadOnlySpan<byte> bytes, IReadOnlyList<FileDescriptor> files)
    {
        while (bytes.Length > 0)
        {
            int sent = socket.Send(bytes, default, files);
            if (sent == -LibC.EAGAIN)
            {
                socket.Wait(LibC.POLLOUT, -1);
            }
            else if (sent < 0)
            {
                return; // nobody listens
            }
            else
            {
                bytes = bytes[sent..];
                files = [];
            }
        }
    }
}
