using System.Buffers.Binary;

namespace Vmm.DemoGuest;

/// <summary>Builds what the guest's data segment holds when it starts: page tables, descriptor tables, options and texts.</summary>
internal sealed class DataSegment
{
    private readonly byte[] _bytes = new byte[GuestLayout.DataEnd - GuestLayout.Data];

    public const int Selectors = 0x38;
    public const ushort KernelCode = 0x08;
    public const ushort KernelData = 0x10;
    public const ushort UserData = 0x18 | 3;
    public const ushort UserCode = 0x20 | 3;
    public const ushort TaskRegister = 0x28;

    /// <summary>Operand of lgdt, of lidt, and of the lidt that provokes a triple fault.</summary>
    public const int GlobalDescriptorPointer = GuestLayout.DescriptorPointers;
    public const int InterruptDescriptorPointer = GuestLayout.DescriptorPointers + 16;
    public const int NoDescriptorsPointer = GuestLayout.DescriptorPointers + 32;

    private const int TaskStateSize = 104;
    private const int PermissionsSize = (0x508 / 8) + 1;

    /// <summary>Ports that ring 3 may use: COM1, the keyboard controller's command port, the debug exit.</summary>
    private static ReadOnlySpan<ushort> UserPorts => [0x3F8, 0x3F9, 0x3FA, 0x3FB, 0x3FC, 0x3FD, 0x3FE, 0x3FF, 0x64, 0x501];

    public static byte[] Build(ReadOnlySpan<ulong> interruptHandlers, TextTable texts)
    {
        var segment = new DataSegment();
        segment.AddPageTables();
        segment.AddDescriptors();
        segment.AddTaskState();
        segment.AddInterruptDescriptors(interruptHandlers);
        segment.AddOptions(texts);
        texts.CopyTo(segment.At(GuestLayout.Texts));
        return segment._bytes;
    }

    private Span<byte> At(int address) => _bytes.AsSpan(address - GuestLayout.Data);

    private void Put(int address, ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(At(address), value);

    /// <summary>4 GiB, one to one, in 2 MiB pages that ring 3 may use; the topmost GiB uncached, for devices live there.</summary>
    private void AddPageTables()
    {
        const ulong PresentWritableUser = 7, WriteThroughUncached = 0x18, Large = 0x80;
        Put(GuestLayout.PageMapLevel4, GuestLayout.PageDirectoryPointers | PresentWritableUser);
        for (int i = 0; i < 4; i++)
        {
            Put(GuestLayout.PageDirectoryPointers + (8 * i), (ulong)(GuestLayout.PageDirectories + (0x1000 * i)) | PresentWritableUser);
        }
        for (int i = 0; i < 2048; i++)
        {
            ulong address = (ulong)i << 21;
            ulong caching = address >= GuestLayout.RamLimit ? WriteThroughUncached : 0;
            Put(GuestLayout.PageDirectories + (8 * i), address | PresentWritableUser | Large | caching);
        }
    }

    private void AddDescriptors()
    {
        Put(GuestLayout.GlobalDescriptors + KernelCode, 0x00AF_9B00_0000_FFFF);
        Put(GuestLayout.GlobalDescriptors + KernelData, 0x00CF_9300_0000_FFFF);
        Put(GuestLayout.GlobalDescriptors + (UserData & ~3), 0x00CF_F300_0000_FFFF);
        Put(GuestLayout.GlobalDescriptors + (UserCode & ~3), 0x00AF_FB00_0000_FFFF);
        ulong task = GuestLayout.TaskState;
        ulong limit = TaskStateSize + PermissionsSize - 1;
        Put(GuestLayout.GlobalDescriptors + TaskRegister, limit | ((task & 0xFF_FFFF) << 16) | (0x89UL << 40) | ((task >> 24) << 56));
        Put(GuestLayout.GlobalDescriptors + TaskRegister + 8, task >> 32);
        PutPointer(GlobalDescriptorPointer, Selectors - 1, GuestLayout.GlobalDescriptors);
    }

    private void PutPointer(int address, ushort limit, ulong table)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(At(address), limit);
        Put(address + 2, table);
    }

    private void AddTaskState()
    {
        Put(GuestLayout.TaskState + 4, GuestLayout.KernelStackTop);
        BinaryPrimitives.WriteUInt16LittleEndian(At(GuestLayout.TaskState + 102), TaskStateSize);
        Span<byte> permissions = At(GuestLayout.TaskState + TaskStateSize)[..PermissionsSize];
        permissions.Fill(0xFF);
        foreach (ushort port in UserPorts)
        {
            permissions[port / 8] &= (byte)~(1 << (port % 8));
        }
    }

    private void AddInterruptDescriptors(ReadOnlySpan<ulong> handlers)
    {
        const ulong InterruptGate = 0x8E;
        for (int i = 0; i < handlers.Length; i++)
        {
            ulong handler = handlers[i];
            Put(GuestLayout.InterruptDescriptors + (16 * i),
                (handler & 0xFFFF) | ((ulong)KernelCode << 16) | (InterruptGate << 40) | ((handler >> 16 & 0xFFFF) << 48));
            Put(GuestLayout.InterruptDescriptors + (16 * i) + 8, handler >> 32);
        }
        PutPointer(InterruptDescriptorPointer, (ushort)((16 * handlers.Length) - 1), GuestLayout.InterruptDescriptors);
    }

    private void AddOptions(TextTable texts)
    {
        for (int i = 0; i < CommandLineOption.All.Count; i++)
        {
            CommandLineOption option = CommandLineOption.All[i];
            int row = GuestLayout.Options + (CommandLineOption.RowSize * i);
            Put(row, (uint)texts.AddressOf(option.Name) | ((ulong)option.Name.Length << 32));
            Put(row + 8, (uint)option.Kind | ((ulong)option.Destination << 32));
        }
    }
}
