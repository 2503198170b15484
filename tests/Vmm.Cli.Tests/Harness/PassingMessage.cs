using System.Buffers.Binary;
using Vmm.Core.Linux;
using Vmm.Migration.Live;

namespace Vmm.Cli.Tests.Harness;

/// <summary>A message between source and destination of a live update, as its bytes are. A test may change all of it.</summary>
/// <param name="header">16 bytes: u32 magic, u16 type, u16 number of descriptors, u32 length, u32 CRC-32C.</param>
/// <param name="body">What follows.</param>
/// <param name="files">What came with it; closed when the message has gone on.</param>
internal sealed class PassingMessage(byte[] header, byte[] body, List<FileDescriptor> files)
{
    public const int HeaderSize = 16;

    public byte[] Header { get; } = header;

    public byte[] Body { get; set; } = body;

    public List<FileDescriptor> Files { get; set; } = files;

    public MessageType Type => (MessageType)BinaryPrimitives.ReadUInt16BigEndian(Header.AsSpan(4));

    /// <summary>Header and body in one.</summary>
    public byte[] Bytes => [.. Header, .. Body];

    public static int LengthOf(ReadOnlySpan<byte> header) => (int)BinaryPrimitives.ReadUInt32BigEndian(header[8..]);

    /// <summary>Flips all bits of one byte, counted from the header's first.</summary>
    public void Flip(int offset)
    {
        byte[] part = offset < HeaderSize ? Header : Body;
        part[offset < HeaderSize ? offset : offset - HeaderSize] ^= 0xFF;
    }

    /// <summary>The header says what the body and the descriptors are now.</summary>
    public void Correct()
    {
        BinaryPrimitives.WriteUInt16BigEndian(Header.AsSpan(6), (ushort)Files.Count);
        BinaryPrimitives.WriteUInt32BigEndian(Header.AsSpan(8), (uint)Body.Length);
        BinaryPrimitives.WriteUInt32BigEndian(Header.AsSpan(12), Checksum(Body));
    }

    /// <summary>CRC-32C bit by bit: not the code that is tested.</summary>
    private static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte value in bytes)
        {
            crc ^= value;
            for (int i = 0; i < 8; i++)
            {
                crc = (crc >> 1) ^ ((crc & 1) * 0x82F6_3B78);
            }
        }

        return ~crc;
    }
}
