using System.Buffers.Binary;
using Vmm.Core.Memory;
using Vmm.Core.Network;

namespace Vmm.Devices.VirtioNet;

/// <summary>
/// The readable part of a control chain (virtio 1.2 section 5.1.6.5): class, command and its data, in any layout. Each byte is read
/// from guest memory once.
/// </summary>
internal ref struct ControlCommand
{
    private readonly ScatterList _source;
    private long _position;

    private ControlCommand(ScatterList source, byte @class, byte command)
    {
        _source = source;
        _position = 2;
        Class = @class;
        Command = command;
    }

    public byte Class { get; }

    public byte Command { get; }

    /// <summary>Bytes of data that were not read yet.</summary>
    public readonly long Left => _source.TotalBytes - _position;

    public static bool TryParse(ScatterList source, out ControlCommand command)
    {
        Span<byte> head = stackalloc byte[2];
        bool isComplete = source.CopyTo(0, head) == 2;
        command = new ControlCommand(source, head[0], head[1]);
        return isComplete;
    }

    /// <summary>Reads the whole data as one number of this size; false when the data is shorter or longer.</summary>
    public bool TryReadOnly(out byte value)
    {
        Span<byte> bytes = stackalloc byte[1];
        bool isRead = TryReadAll(bytes);
        value = bytes[0];
        return isRead;
    }

    public bool TryReadOnly(out ushort value)
    {
        Span<byte> bytes = stackalloc byte[2];
        bool isRead = TryReadAll(bytes);
        value = BinaryPrimitives.ReadUInt16LittleEndian(bytes);
        return isRead;
    }

    public bool TryReadOnly(out ulong value)
    {
        Span<byte> bytes = stackalloc byte[8];
        bool isRead = TryReadAll(bytes);
        value = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        return isRead;
    }

    public bool TryReadOnly(out MacAddress value)
    {
        Span<byte> bytes = stackalloc byte[MacAddress.Length];
        bool isRead = TryReadAll(bytes);
        value = MacAddress.Read(bytes);
        return isRead;
    }

    /// <summary>Reads struct virtio_net_ctrl_mac: a count and so many addresses. What does not fit the table sets its overflow.</summary>
    public bool TryReadTable(out MacTable table)
    {
        table = MacTable.Empty();
        Span<byte> bytes = stackalloc byte[MacAddress.Length];
        if (!TryRead(bytes[..4]))
        {
            return false;
        }

        uint count = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
        if (count * (long)MacAddress.Length > Left)
        {
            return false;
        }

        if (count > MacTable.Capacity)
        {
            table.Overflowed = true;
            _position += count * (long)MacAddress.Length;
            return true;
        }

        for (; table.Count < count; table.Count++)
        {
            TryRead(bytes);
            table.Entries[table.Count] = MacAddress.Read(bytes);
        }

        return true;
    }

    private bool TryReadAll(scoped Span<byte> target) => Left == target.Length && TryRead(target);

    private bool TryRead(scoped Span<byte> target)
    {
        if (Left < target.Length)
        {
            return false;
        }

        _source.CopyTo(_position, target);
        _position += target.Length;
        return true;
    }
}
