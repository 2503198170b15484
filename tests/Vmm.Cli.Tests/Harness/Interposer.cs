using System.Buffers.Binary;
using System.Net.Sockets;
using Tmds.Linux;
using Vmm.Core.Linux;

namespace Vmm.Cli.Tests.Harness;

/// <summary>
/// Stands between source and destination of live updates: every message, with its descriptors, goes through the test. The binary to give to
/// <c>live-update</c> is <see cref="Binary"/>; the process that runs it becomes the real destination (tests/Vmm.Interposer).
/// </summary>
internal sealed class Interposer : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly Thread _thread;
    private volatile Exception? _failure;

    /// <param name="folder">For its files.</param>
    /// <param name="behind">The process that the source knows is a shell, and the destination a child of that: what the source does to it, the destination does not feel.</param>
    public Interposer(TemporaryFolder folder, bool behind = false)
    {
        string path = folder["interposer"];
        Binary = folder["vmm-behind-interposer"];
        string environment = $"VMM_INTERPOSER_SOCKET='{path}' VMM_INTERPOSER_BINARY='{Host.Binary}'";
        string program = Path.Combine(Host.Root, "artifacts/bin/Vmm.Interposer/debug/Vmm.Interposer");
        File.WriteAllText(Binary, behind
            ? $"#!/bin/sh\n{environment} '{program}' \"$@\" &\nexec 3>&- 4>&-\nwait $!\n"
            : $"#!/bin/sh\n{environment} exec '{program}' \"$@\"\n");
        File.SetUnixFileMode(Binary, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        _listener.Bind(new UnixDomainSocketEndPoint(path));
        _listener.Listen();
        _thread = new Thread(Serve) { Name = "interposer", IsBackground = true };
        _thread.Start();
    }

    /// <summary>The new binary of a live update.</summary>
    public string Binary { get; }

    /// <summary>What to do with a message; it is called on a thread of that direction. It returns what goes on instead: the message itself, nothing, several.</summary>
    public Func<InterposedUpdate, PassingMessage, IEnumerable<PassingMessage>> OnMessage { get; set; } = (_, message) => [message];

    public void Dispose()
    {
        _listener.Dispose();
        _thread.Join();
        _failure.Should().BeNull("the test was asked what to do with a message");
    }

    private void Serve()
    {
        try
        {
            while (true)
            {
                using Socket socket = _listener.Accept();
                using MessageSocket child = new(LinuxException.ThrowIfFailed(LibC.dup((int)socket.Handle), "dup", "interposer"));
                Meet(child);
            }
        }
        catch (SocketException)
        {
            // Disposed.
        }
        catch (ObjectDisposedException)
        {
            // The same.
        }
    }

    private void Meet(MessageSocket child)
    {
        byte[] id = new byte[sizeof(int)];
        List<FileDescriptor> files = [];
        child.Wait(LibC.POLLIN, -1);
        if (child.Receive(id, files) != id.Length)
        {
            return; // killed meanwhile
        }

        (MessageSocket near, MessageSocket far) = MessageSocket.CreatePair();
        using (far)
        {
            child.Send([0], default, [far]);
        }

        new InterposedUpdate(BinaryPrimitives.ReadInt32LittleEndian(id), MessageSocket.Adopt(files[0]), near, (update, message) => OnMessage(update, message), e => _failure ??= e).Start();
    }
}
