using System.Buffers.Binary;
using Vmm.Core.Hypervisor;
using Vmm.Core.Memory;
using static Vmm.Core.Machine.Boot.LinuxBootParameters;

namespace Vmm.Core.Machine.Boot;

/// <summary>
/// A bzImage: a Linux kernel with its setup header (Documentation/arch/x86/boot.rst), begun at its 64-bit entry. What it holds in compressed
/// form is left to its own code.
/// </summary>
internal sealed class LinuxImage : KernelImage
{
    private const int SectorSize = 512;
    private const ushort BootFlagValue = 0xAA55;
    private const uint HeaderMagic = 0x5372_6448; // "HdrS"
    private const ushort OldestProtocol = 0x020C;  // the first with a 64-bit entry
    private const ushort Kernel64 = 1 << 0;        // xloadflags
    private const ulong Entry64 = 0x200;           // from the start of the protected-mode kernel
    private const byte SetupSectsDefault = 4;

    private readonly byte[] _header;
    private readonly ulong _offset;
    private readonly MemoryExtent _extent;

    private LinuxImage(BootImage file, byte[] header, ulong offset, MemoryExtent extent) : base(file)
    {
        _header = header;
        _offset = offset;
        _extent = extent;
    }

    public override IReadOnlyList<MemoryExtent> Extents => [_extent];

    // SPEC: the field holds the last address.
    public override ulong InitrdLimit => Math.Min(GuestMemory.LowLimit, ReadUInt32(InitrdAddrMax) + 1ul);

    public override bool ReadsAcpi => true;

    // SPEC: the field does not count the NUL.
    public override int CommandLineLimit => (int)Math.Min(MachineLayout.CommandLineLimit, ReadUInt32(CmdlineSize) + 1ul);

    public override ReadOnlySpan<byte> SetupHeader => _header;

    public override CpuEntry FindEntry() => CpuEntry.ForLinux(new GuestAddress(_extent.Address + Entry64));

    public override void CopyTo(GuestMemory memory) => memory.Fill(File, _offset, _extent.Address, File.Length - _offset);

    /// <summary>Whether the file has the setup header's two magic numbers.</summary>
    public static bool IsLinuxImage(BootImage file)
    {
        if (!file.Contains(0, HeaderField + 4))
        {
            return false;
        }

        Span<byte> bytes = stackalloc byte[HeaderField + 4];
        file.Read(0, bytes);
        return BinaryPrimitives.ReadUInt16LittleEndian(bytes[BootFlag..]) == BootFlagValue
            && BinaryPrimitives.ReadUInt32LittleEndian(bytes[HeaderField..]) == HeaderMagic;
    }

    /// <exception cref="BootException">It has no 64-bit entry, or is cut off.</exception>
    public static new LinuxImage Parse(BootImage file)
    {
        const int JumpOffset = 0x201; // of the jump over the header, which says where it ends
        Span<byte> start = stackalloc byte[JumpOffset + 1];
        file.Read(0, start);
        int end = HeaderField + start[JumpOffset];
        if (end < InitSize + 4 || !file.Contains(0, (ulong)end))
        {
            throw new BootException(
                file.Name, $"its setup header ends at byte {end}, before init_size at {InitSize}: it is of boot protocol 2.09 or older", "Take a kernel of Linux 4.9 or newer.");
        }

        byte[] header = new byte[end - SetupHeaderStart];
        file.Read(SetupHeaderStart, header);
        ushort protocol = BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(ProtocolVersion - SetupHeaderStart));
        if (protocol < OldestProtocol)
        {
            throw new BootException(
                file.Name, $"its boot protocol is {protocol >> 8}.{protocol & 0xFF:d2}, older than 2.12, the first with a 64-bit entry", "Take a kernel of Linux 4.9 or newer.");
        }

        if ((BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(Xloadflags - SetupHeaderStart)) & Kernel64) == 0)
        {
            throw new BootException(file.Name, "it has no 64-bit entry (XLF_KERNEL_64 in xloadflags is clear)", "Take a 64-bit kernel (x86_64, CONFIG_64BIT).");
        }

        byte sectors = header[SetupSects - SetupHeaderStart];
        ulong offset = ((sectors == 0 ? SetupSectsDefault : sectors) + 1ul) * SectorSize;
        if (!file.Contains(offset, Entry64 + 1))
        {
            throw new BootException(
                file.Name, $"its setup of {sectors} sectors (setup_sects) reaches to byte {offset}, and the file ends at {file.Length}", "The file is cut off: build or copy it again.");
        }

        return new LinuxImage(file, header, offset, Place(file, header, offset));
    }

    /// <summary>Where its own code would put the kernel, with the room that it needs to unpack itself.</summary>
    private static MemoryExtent Place(BootImage file, ReadOnlySpan<byte> header, ulong offset)
    {
        ulong address = BinaryPrimitives.ReadUInt64LittleEndian(header[(PrefAddress - SetupHeaderStart)..]);
        ulong size = Math.Max(BinaryPrimitives.ReadUInt32LittleEndian(header[(InitSize - SetupHeaderStart)..]), file.Length - offset);
        return address is >= MachineLayout.HighMemoryStart and < MachineLayout.IdentityMapped && address % 4096 == 0
            ? new MemoryExtent("the kernel", address, address + size)
            : throw new BootException(file.Name, $"its preferred address 0x{address:x} (pref_address) is no page between 1 MiB and 4 GiB", "The header is damaged: copy or build the kernel again.");
    }

    private uint ReadUInt32(int field) => BinaryPrimitives.ReadUInt32LittleEndian(_header.AsSpan(field - SetupHeaderStart));
}
