namespace Vmm.Migration.Stream;

/// <summary>What follows an entry of the RAM section, in the low bits of its 64-bit address (QEMU's migration/ram.c, version 4).</summary>
[Flags]
internal enum RamFlags : ulong
{
    None = 0,

    /// <summary>RAM_SAVE_FLAG_ZERO: one byte, which the whole page is filled with.</summary>
    Zero = 0x02,

    /// <summary>RAM_SAVE_FLAG_MEM_SIZE: the blocks, each u8 length, name, u64 size; the address is their sum.</summary>
    MemorySize = 0x04,

    /// <summary>RAM_SAVE_FLAG_PAGE: the page's bytes.</summary>
    Page = 0x08,

    /// <summary>RAM_SAVE_FLAG_EOS: the section ends here.</summary>
    End = 0x10,

    /// <summary>RAM_SAVE_FLAG_CONTINUE: the block is that of the page before, and its name is left out.</summary>
    Continue = 0x20,
}
