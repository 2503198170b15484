using System.Buffers.Binary;
using Tmds.Linux;
using Vmm.Core.Linux;
using Vmm.Migration.Live;
using Vmm.Migration.Stream;

namespace Vmm.Migration.Channels;

/// <summary>
/// One end of an open way from a source to a destination. A socket goes both ways: the destination can answer. Pipes, files and commands go
/// one way.
/// </summary>
public sealed class MigrationChannel : IDisposable
{
    private readonly ByteDescriptor _bytes;
    private readonly ChannelCommand? _command;
    private readonly StateFile? _file;

    private MigrationChannel(MigrationUri uri, ByteDescriptor bytes, ChannelCommand? command = null, StateFile? file = null)
    {
        Uri = uri;
        _bytes = bytes;
        _command = command;
        _file = file;
    }

    private MigrationChannel(MigrationUri uri, MessageSocket socket) : this(uri, new ByteDescriptor(socket.Number, ownsHandle: false))
    {
        Socket = socket;
        Peer = PeerCredentials.Find(socket);
    }

    public MigrationUri Uri { get; }

    /// <summary>Both ways; null when there is one way only.</summary>
    public MessageSocket? Socket { get; }

    public bool IsBidirectional => Socket is not null;

    /// <summary>Who is at the other end; null when there is nobody to ask about: TCP, pipes, files.</summary>
    public PeerCredentials? Peer { get; }

    /// <summary>
    /// False when no open file can ever come through. True is no promise: a proxy may stand between, and only the verdict on the hello, with
    /// which the first one goes, tells.
    /// </summary>
    public bool MayCarryDescriptors => Peer is not null;

    /// <summary>Opens the source's end.</summary>
    /// <param name="timeout">For somebody to answer.</param>
    /// <exception cref="IOException">It can't be opened, or leads to a stranger; the message says what to do.</exception>
    public static MigrationChannel Connect(MigrationUri uri, TimeSpan timeout)
    {
        switch (uri.Scheme)
        {
            case MigrationScheme.Unix:
                return FromSocket(uri, StreamSocket.Connect(uri.Target));
            case MigrationScheme.Tcp:
                return FromSocket(uri, TcpAddress.Connect(uri, timeout));
            case MigrationScheme.Command:
                ChannelCommand command = ChannelCommand.Start(uri.Target, writes: false);
                return new MigrationChannel(uri, command.Pipe, command);
            case MigrationScheme.File:
                StateFile file = StateFile.Create(uri.Target);
                return new MigrationChannel(uri, file.Bytes, file: file);
            default:
                return FromDescriptor(uri, writing: true);
        }
    }

    /// <summary>The way through a socket that is connected already. Closed when its peer is a stranger.</summary>
    /// <exception cref="ChannelException">The peer is neither this user's nor root's.</exception>
    public static MigrationChannel FromSocket(MigrationUri uri, MessageSocket socket)
    {
        MigrationChannel channel = new(uri, socket);
        if (channel.Peer is { IsTrusted: false } peer)
        {
            channel.Dispose();
            throw new ChannelException($"{uri}: {peer} is at the other end, neither this user's nor root's: refused.");
        }

        return channel;
    }

    /// <summary>The destination's end of what needs nobody to connect.</summary>
    internal static MigrationChannel OpenForReading(MigrationUri uri)
    {
        switch (uri.Scheme)
        {
            case MigrationScheme.Command:
                ChannelCommand command = ChannelCommand.Start(uri.Target, writes: true);
                return new MigrationChannel(uri, command.Pipe, command);
            case MigrationScheme.File:
                return new MigrationChannel(uri, StateFile.OpenForReading(uri.Target));
            default:
                return FromDescriptor(uri, writing: false);
        }
    }

    /// <summary>Waits for the first bytes from the source and tells what they begin. They stay to be read.</summary>
    /// <exception cref="MigrationException">Nothing has come in time, or nothing will.</exception>
    public ChannelContent WaitForContent(TimeSpan timeout, CancellationToken cancellation = default)
    {
        if (!IsBidirectional)
        {
            return ChannelContent.Stream;
        }

        Span<byte> magic = stackalloc byte[sizeof(uint)];
        ChannelWait wait = new(_bytes, timeout, cancellation);
        int length;
        while ((length = _bytes.Peek(magic)) is > 0 and < sizeof(uint) || length == -LibC.EAGAIN)
        {
            wait.For(LibC.POLLIN, "has said nothing");
            if (length > 0)
            {
                Thread.Sleep(1); // poll is content with the bytes that are there
            }
        }

        return length <= 0 ? throw new MigrationException(MigrationStep.Hello, "the peer has closed the channel")
            : BinaryPrimitives.ReadUInt32BigEndian(magic) == StreamFormat.Magic ? ChannelContent.Stream
            : ChannelContent.Messages;
    }

    /// <summary>The bytes, as they go through. Reading returns 0 at the end; a peer that stalls is a <see cref="MigrationException"/>.</summary>
    /// <param name="stall">How long it may take until the next byte goes through.</param>
    public System.IO.Stream OpenStream(TimeSpan stall, CancellationToken cancellation = default) => new ChannelStream(_bytes, IsBidirectional, stall, cancellation);

    /// <summary>Ends the writing of one that goes one way: the file is whole and where it belongs, the command has done its part.</summary>
    /// <exception cref="IOException">It did not, and all was in vain.</exception>
    public void Complete(TimeSpan timeout)
    {
        _file?.Complete();
        _command?.Complete(timeout);
    }

    /// <summary>Why a command has taken or written too little; null when that is not its fault.</summary>
    internal ChannelException? FindFailure(TimeSpan timeout)
    {
        try
        {
            _command?.Complete(timeout);
            return null;
        }
        catch (ChannelException e)
        {
            return e;
        }
    }

    public void Dispose()
    {
        _bytes.Dispose();
        Socket?.Dispose();
        _file?.Dispose();
        _command?.Dispose();
    }

    /// <summary>What the number of an <c>fd:</c> URI stands for.</summary>
    /// <exception cref="IOException">It is not open, or is this process's own: the guest's memory is a file too.</exception>
    internal static DescriptorKind Probe(MigrationUri uri)
    {
        DescriptorKind kind = ByteDescriptor.Probe(uri.Number);
        return InheritedDescriptors.Contains(uri.Number)
            ? kind
            : throw new ChannelException($"{uri} was not passed on by whoever started vmm; name one that was.");
    }

    private static MigrationChannel FromDescriptor(MigrationUri uri, bool writing)
    {
        int fd = uri.Number;
        DescriptorKind kind = Probe(uri);
        if (kind is DescriptorKind.Socket)
        {
            return FromSocket(uri, new MessageSocket(fd));
        }

        if (kind is DescriptorKind.Listener or DescriptorKind.Other)
        {
            throw new ChannelException($"{uri} is {(kind is DescriptorKind.Listener ? "a socket that listens" : "nothing that bytes go through")}; a connected stream socket, a pipe or a file is needed.");
        }

        return ByteDescriptor.Allows(fd, writing)
            ? new MigrationChannel(uri, new ByteDescriptor(fd))
            : throw new ChannelException($"{uri} is open for {(writing ? "reading" : "writing")} only.");
    }
}
