using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Text;
using Tmds.Linux;
using Vmm.Core.Linux;
using Vmm.Migration.Stream;

namespace Vmm.Migration.Live;

/// <summary>
/// Messages over a stream socket: a header of 16 bytes, big endian - u32 magic, u16 type, u16 number of descriptors, u32 length,
/// u32 CRC-32C of the body - and the body. Descriptors go with the first byte of each part that is sent.
/// </summary>
/// <remarks>One thread at a time. Nothing waits longer than its deadline.</remarks>
public sealed class MessageChannel(MessageSocket socket, CancellationToken cancellation = default) : IDisposable
{
    private const uint Magic = 0x564d_4d31; // "VMM1"
    private const int HeaderSize = 16;
    private const int MaxDescriptors = 4096;

    /// <summary>How soon a cancellation is noticed.</summary>
    private const int SliceMilliseconds = 50;

    private readonly byte[] _header = new byte[HeaderSize];
    private byte[] _body = new byte[64 << 10];

    /// <exception cref="MigrationException">The peer has gone, does not read, or <paramref name="deadline"/> has passed.</exception>
    public void Send(MigrationStep step, MessageType type, ReadOnlySpan<byte> body, IReadOnlyList<FileDescriptor> descriptors, Deadline deadline)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(descriptors.Count, MaxDescriptors);
        Span<byte> header = stackalloc byte[HeaderSize];
        BinaryPrimitives.WriteUInt32BigEndian(header, Magic);
        BinaryPrimitives.WriteUInt16BigEndian(header[4..], (ushort)type);
        BinaryPrimitives.WriteUInt16BigEndian(header[6..], (ushort)descriptors.Count);
        BinaryPrimitives.WriteUInt32BigEndian(header[8..], (uint)body.Length);
        BinaryPrimitives.WriteUInt32BigEndian(header[12..], Checksum(body));

        int files = 0;
        for (int sent = 0; sent < HeaderSize + body.Length;)
        {
            // One more byte for each further batch of descriptors: they need one to go with.
            int batch = Math.Min(descriptors.Count - files, MessageSocket.MaxDescriptors);
            bool more = files + batch < descriptors.Count;
            ReadOnlySpan<byte> head = sent < HeaderSize ? header[sent..] : default;
            ReadOnlySpan<byte> rest = sent < HeaderSize ? body : body[(sent - HeaderSize)..];
            int result = socket.Send(more ? head[..1] : head, more ? default : rest, batch == 0 ? [] : [.. descriptors.Skip(files).Take(batch)]);
            if (result == -LibC.EAGAIN)
            {
                Wait(step, LibC.POLLOUT, deadline, "does not take what is sent");
            }
            else if (result == -LibC.EPIPE || result == -LibC.ECONNRESET)
            {
                throw LastWords(step);
            }
            else if (result < 0)
            {
                throw new MigrationException(step, $"sendmsg: {LinuxException.Describe(-result)}");
            }
            else
            {
                sent += result;
                files += batch;
            }
        }
    }

    /// <exception cref="MigrationException">What came is no message, the peer has gone, or <paramref name="deadline"/> has passed.</exception>
    public Message Receive(MigrationStep step, Deadline deadline)
    {
        List<FileDescriptor> descriptors = [];
        try
        {
            Fill(step, _header, descriptors, deadline);
            uint magic = BinaryPrimitives.ReadUInt32BigEndian(_header);
            ushort type = BinaryPrimitives.ReadUInt16BigEndian(_header.AsSpan(4));
            ushort count = BinaryPrimitives.ReadUInt16BigEndian(_header.AsSpan(6));
            uint length = BinaryPrimitives.ReadUInt32BigEndian(_header.AsSpan(8));
            if (magic != Magic || !Enum.IsDefined((MessageType)type))
            {
                throw new MigrationException(step, string.Create(CultureInfo.InvariantCulture, $"what came is no message: magic 0x{magic:x8}, type {type}"));
            }

            if (length > StreamFormat.MaxStateSize || count > MaxDescriptors)
            {
                throw new MigrationException(step, $"a message of {length} bytes and {count} descriptors is longer than {StreamFormat.MaxStateSize} and {MaxDescriptors}");
            }

            _body = length <= _body.Length ? _body : new byte[length];
            Memory<byte> body = _body.AsMemory(0, (int)length);
            Fill(step, body.Span, descriptors, deadline);
            uint wanted = BinaryPrimitives.ReadUInt32BigEndian(_header.AsSpan(12));
            uint found = Checksum(body.Span);
            if (found != wanted)
            {
                throw new MigrationException(step, string.Create(CultureInfo.InvariantCulture, $"the message's bytes have CRC 0x{found:x8}, its header says 0x{wanted:x8}"));
            }

            // The hello asks whether descriptors come through: that none has is an answer.
            if (descriptors.Count != count && !(type == (ushort)MessageType.Hello && descriptors.Count == 0))
            {
                throw new MigrationException(step, $"{descriptors.Count} descriptors came with the message, {count} were sent");
            }

            return new Message((MessageType)type, body, descriptors);
        }
        catch
        {
            descriptors.ForEach(file => file.Dispose());
            throw;
        }
    }

    /// <summary>Returns when there is something to receive, or the moment is over. Does not sleep.</summary>
    public void LookOut(Moment moment)
    {
        while (!moment.IsOver && !socket.Wait(LibC.POLLIN, 0))
        {
        }
    }

    public void Dispose() => socket.Dispose();

    internal static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        for (; bytes.Length >= sizeof(ulong); bytes = bytes[sizeof(ulong)..])
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        }

        foreach (byte value in bytes)
        {
            crc = BitOperations.Crc32C(crc, value);
        }

        return ~crc;
    }

    private void Fill(MigrationStep step, Span<byte> target, List<FileDescriptor> descriptors, Deadline deadline)
    {
        while (target.Length > 0)
        {
            int received = socket.Receive(target, descriptors);
            if (received == -LibC.EAGAIN)
            {
                Wait(step, LibC.POLLIN, deadline, "has not answered");
            }
            else if (received == 0 || received == -LibC.ECONNRESET)
            {
                throw Gone(step);
            }
            else if (received < 0)
            {
                throw new MigrationException(step, received == -LibC.EMSGSIZE
                    ? "descriptors were lost on the way: this process may have too few free (ulimit -n)"
                    : $"recvmsg: {LinuxException.Describe(-received)}");
            }
            else
            {
                target = target[received..];
            }
        }
    }

    private void Wait(MigrationStep step, short events, Deadline deadline, string what)
    {
        while (!socket.Wait(events, Math.Min(deadline.MillisecondsLeft, SliceMilliseconds)))
        {
            if (cancellation.IsCancellationRequested)
            {
                throw new MigrationException(step, "it was cancelled");
            }

            if (deadline.MillisecondsLeft == 0)
            {
                throw new MigrationException(step, string.Create(CultureInfo.InvariantCulture, $"the peer {what} within {deadline.Timeout.TotalMilliseconds} ms"));
            }
        }
    }

    /// <summary>A peer that has gone may have said why before.</summary>
    private MigrationException LastWords(MigrationStep step)
    {
        try
        {
            Message last = Receive(step, new Deadline(TimeSpan.Zero));
            foreach (FileDescriptor file in last.Descriptors)
            {
                file.Dispose();
            }

            return last.Type == MessageType.Failed ? new MigrationException(step, $"the peer says: {Encoding.UTF8.GetString(last.Body.Span)}") : Gone(step);
        }
        catch (MigrationException)
        {
            return Gone(step);
        }
    }

    private static MigrationException Gone(MigrationStep step) => new(step, "the peer has closed the channel");
}
