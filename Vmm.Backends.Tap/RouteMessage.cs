using System.Runtime.InteropServices;

namespace Vmm.Backends.Tap;

/// <summary>Writes one rtnetlink request: header, fixed part, attributes; all in host byte order, aligned to 4 bytes.</summary>
internal ref struct RouteMessage
{
    public const ushort NLMSG_ERROR = 2;
    public const ushort RTM_NEWLINK = 16;
    public const ushort RTM_DELLINK = 17;
    public const ushort RTM_GETLINK = 18;
    public const ushort RTM_NEWADDR = 20;

    public const ushort NLM_F_REQUEST = 0x001;
    public const ushort NLM_F_ACK = 0x004;
    public const ushort NLM_F_EXCL = 0x200;
    public const ushort NLM_F_CREATE = 0x400;

    /// <summary>struct nlmsghdr.</summary>
    public const int HeaderSize = 16;

    /// <summary>struct rtattr.</summary>
    public const int AttributeHeaderSize = 4;

    private readonly Span<byte> _buffer;
    private int _length;

    public RouteMessage(Span<byte> buffer, ushort type, ushort flags)
    {
        _buffer = buffer;
        _buffer.Clear();
        MemoryMarshal.Write(_buffer[4..], type);
        MemoryMarshal.Write(_buffer[6..], flags);
        _length = HeaderSize;
    }

    /// <summary>The fixed part of a link request: struct ifinfomsg.</summary>
    public void AddLink(int index, uint flags = 0, uint change = 0)
    {
        Span<byte> part = Next(16);
        MemoryMarshal.Write(part[4..], index);
        MemoryMarshal.Write(part[8..], flags);
        MemoryMarshal.Write(part[12..], change);
    }

    /// <summary>The fixed part of an address request: struct ifaddrmsg.</summary>
    public void AddAddress(byte family, byte prefixLength, int index)
    {
        Span<byte> part = Next(8);
        part[0] = family;
        part[1] = prefixLength;
        MemoryMarshal.Write(part[4..], index);
    }

    public void AddAttribute(ushort type, scoped ReadOnlySpan<byte> value)
    {
        int length = AttributeHeaderSize + value.Length;
        Span<byte> part = Next((length + 3) & ~3);
        MemoryMarshal.Write(part, (ushort)length);
        MemoryMarshal.Write(part[2..], type);
        value.CopyTo(part[AttributeHeaderSize..]);
    }

    public void AddAttribute(ushort type, uint value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        MemoryMarshal.Write(bytes, value);
        AddAttribute(type, bytes);
    }

    /// <summary>The finished request.</summary>
    public readonly ReadOnlySpan<byte> Finish()
    {
        MemoryMarshal.Write(_buffer, _length);
        return _buffer[.._length];
    }

    /// <summary>Takes one attribute off <paramref name="attributes"/>; false at the end, and at one that does not fit.</summary>
    public static bool TryTake(ref ReadOnlySpan<byte> attributes, out ushort type, out ReadOnlySpan<byte> value)
    {
        type = 0;
        value = default;
        if (attributes.Length < AttributeHeaderSize)
        {
            return false;
        }

        int length = MemoryMarshal.Read<ushort>(attributes);
        if (length < AttributeHeaderSize || length > attributes.Length)
        {
            return false;
        }

        // NLA_F_NESTED and NLA_F_NET_BYTEORDER are the two highest bits.
        type = (ushort)(MemoryMarshal.Read<ushort>(attributes[2..]) & 0x3fff);
        value = attributes[AttributeHeaderSize..length];
        attributes = attributes[Math.Min(attributes.Length, (length + 3) & ~3)..];
        return true;
    }

    private Span<byte> Next(int length)
    {
        Span<byte> part = _buffer.Slice(_length, length);
        _length += length;
        return part;
    }
}
