using Vmm.Core.Linux;

namespace Vmm.Migration.Channels;

/// <summary>The destination's end before a source has come: a listening socket, or what needs nobody to connect.</summary>
public sealed class MigrationListener : IDisposable
{
    /// <summary>How soon a cancellation is noticed.</summary>
    private const int SliceMilliseconds = 50;

    private readonly ListeningSocket? _socket;
    private MigrationChannel? _channel;

    private MigrationListener(MigrationUri uri, ListeningSocket? socket, MigrationChannel? channel)
    {
        Uri = uri;
        _socket = socket;
        _channel = channel;
    }

    /// <summary>Where it listens; of <c>tcp:HOST:0</c> with the port that it got.</summary>
    public MigrationUri Uri { get; }

    /// <exception cref="IOException">It can't be opened; the message says what to do.</exception>
    public static MigrationListener Open(MigrationUri uri)
    {
        switch (uri.Scheme)
        {
            case MigrationScheme.Unix:
                return new MigrationListener(uri, ListeningSocket.Listen(uri.Target), null);
            case MigrationScheme.Tcp:
                ListeningSocket tcp = TcpAddress.Listen(uri);
                return new MigrationListener(uri.WithNumber(tcp.Port), tcp, null);
            case MigrationScheme.Descriptor when MigrationChannel.Probe(uri) == DescriptorKind.Listener:
                return new MigrationListener(uri, new ListeningSocket(uri.Number), null);
            default:
                return new MigrationListener(uri, null, MigrationChannel.OpenForReading(uri));
        }
    }

    /// <summary>Waits for a source. One who may not is sent away, and the waiting goes on.</summary>
    /// <param name="refused">Is told about each one: a sentence.</param>
    /// <exception cref="OperationCanceledException">Nobody has come.</exception>
    public MigrationChannel Accept(Action<string>? refused = null, CancellationToken cancellation = default)
    {
        if (_channel is { } ready)
        {
            _channel = null;
            return ready;
        }

        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            if (_socket!.Accept(SliceMilliseconds) is not { } socket)
            {
                continue;
            }

            try
            {
                return MigrationChannel.FromSocket(Uri, socket);
            }
            catch (ChannelException e)
            {
                refused?.Invoke(e.Message);
            }
        }
    }

    public void Dispose()
    {
        _socket?.Dispose();
        _channel?.Dispose();
    }
}
