using System.Buffers.Binary;
using Tmds.Linux;
using Vmm.Core.Memory;

namespace Vmm.Core.Network;

public sealed partial class UnixStreamBackend
{
    /// <remarks>
    /// Reads a prefix, then exactly its frame: nothing of the next frame is ever held here, so readiness of the socket is readiness of
    /// this queue. -ECONNRESET when the peer has closed, -EPROTO from a prefix on that no frame can have.
    /// </remarks>
    public int Receive(ScatterList target)
    {
        while (true)
        {
            int result = Fill(PrefixSize);
            if (result <= 0)
            {
                return result;
            }

            uint length = BinaryPrimitives.ReadUInt32BigEndian(_incoming.Span);
            if (length > PlainFrame.MaxLength)
            {
                return -LibC.EPROTO;
            }

            result = Fill(PrefixSize + (int)length);
            if (result <= 0)
            {
                return result;
            }

            _received = 0;
            if (length > 0 && length <= _longest)
            {
                return PlainFrame.Give(_incoming.Span.Slice(PrefixSize, (int)length), target);
            }
        }
    }

    /// <remarks>
    /// A frame that the socket took in part stays here, and the answer is "no room now": it is finished by the next call, which is with
    /// the same frame, unless the guest was reset meanwhile; then both go, one after the other.
    /// </remarks>
    public int Transmit(ScatterList source)
    {
        if (_sent > 0)
        {
            bool isSame = IsOutgoing(source);
            int rest = Flush();
            if (rest <= 0 || isSame)
            {
                return rest <= 0 ? rest : (int)source.TotalBytes;
            }
        }

        int length = PlainFrame.Take(source, _outgoing.Span[PrefixSize..]);
        if (length < 0)
        {
            return length;
        }

        BinaryPrimitives.WriteUInt32BigEndian(_outgoing.Span, (uint)length);
        _outgoingLength = PrefixSize + length;
        int result = Flush();
        return result <= 0 ? result : (int)source.TotalBytes;
    }

    /// <summary>Reads until so many bytes of prefix and frame are there. Returns 1 then, 0 when they are not yet, or -errno.</summary>
    private int Fill(int count)
    {
        while (_received < count)
        {
            int result = _socket.Receive(_incoming, _received, count - _received);
            if (result <= 0)
            {
                return result == 0 ? -LibC.ECONNRESET : result == -LibC.EAGAIN || result == -LibC.EINTR ? 0 : result;
            }

            _received += result;
        }

        return 1;
    }

    /// <summary>Writes what is left of the outgoing frame. Returns 1 when all of it is gone, 0 when there is no room, or -errno.</summary>
    private int Flush()
    {
        while (_sent < _outgoingLength)
        {
            int result = _socket.Send(_outgoing, _sent, _outgoingLength - _sent);
            if (result < 0)
            {
                return result == -LibC.EAGAIN || result == -LibC.EINTR ? 0 : result;
            }

            _sent += result;
        }

        _sent = 0;
        return 1;
    }

    /// <summary>The frame in <paramref name="source"/> is the one that is on its way.</summary>
    private bool IsOutgoing(ScatterList source)
    {
        ReadOnlySpan<byte> frame = _outgoing.Span[PrefixSize.._outgoingLength];
        if (source.TotalBytes - INetworkBackend.HeaderSize != frame.Length)
        {
            return false;
        }

        int length = PlainFrame.Take(source, _comparison.Span);
        return length == frame.Length && frame.SequenceEqual(_comparison.Span[..length]);
    }
}
