using System.Globalization;

namespace Vmm.Core.Network;

/// <summary>An Ethernet address, the first byte on the wire in the highest of the 48 bits.</summary>
public readonly record struct MacAddress(ulong Value)
{
    public const int Length = 6;

    public static readonly MacAddress Broadcast = new(0xffff_ffff_ffff);

    /// <summary>The group bit: multicast or broadcast.</summary>
    public bool IsMulticast => (Value >> 40 & 1) != 0;

    /// <summary>Six bytes as they stand in a frame.</summary>
    public static MacAddress Read(ReadOnlySpan<byte> bytes)
        => new((ulong)bytes[0] << 40 | (ulong)bytes[1] << 32 | (ulong)bytes[2] << 24 | (ulong)bytes[3] << 16 | (ulong)bytes[4] << 8 | bytes[5]);

    public void CopyTo(Span<byte> bytes)
    {
        for (int i = 0; i < Length; i++)
        {
            bytes[i] = (byte)(Value >> (40 - 8 * i));
        }
    }

    /// <summary>A random unicast address with QEMU's well-known 52:54:00 prefix.</summary>
    public static MacAddress Random() => new(0x5254_0000_0000ul | (uint)System.Random.Shared.Next(1 << 24));

    /// <summary>Six hexadecimal bytes, <c>52:54:00:12:34:56</c>.</summary>
    public static bool TryParse(string text, out MacAddress address)
    {
        address = default;
        string[] parts = text.Split(':');
        ulong value = 0;
        foreach (string part in parts)
        {
            if (part.Length != 2 || !byte.TryParse(part, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out byte b))
            {
                return false;
            }

            value = value << 8 | b;
        }

        address = new MacAddress(value);
        return parts.Length == Length;
    }

    public override string ToString()
    {
        ulong v = Value;
        return string.Join(':', Enumerable.Range(0, Length).Select(i => ((byte)(v >> (40 - 8 * i))).ToString("x2", CultureInfo.InvariantCulture)));
    }
}
