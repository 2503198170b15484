namespace Vmm.Core.Machine.Boot;

/// <summary>Names of the ELF-64 object file format (System V ABI, chapters 4 and 5) and of Xen's notes (xen/include/public/elfnote.h).</summary>
internal static class ElfConstants
{
    public const int HeaderSize = 64;
    public const int ProgramHeaderSize = 56;
    public const int SectionHeaderSize = 64;
    public const int NoteHeaderSize = 12;

    public const byte ELFCLASS32 = 1;
    public const byte ELFCLASS64 = 2;
    public const byte ELFDATA2LSB = 1;
    public const ushort ET_EXEC = 2;
    public const ushort EM_X86_64 = 62;
    public const uint PT_LOAD = 1;
    public const uint PT_NOTE = 4;
    public const ushort PN_XNUM = 0xFFFF;
    public const uint SHT_NOTE = 7;

    /// <summary>The system's name; name "Xen".</summary>
    public const uint XEN_ELFNOTE_GUEST_OS = 6;

    /// <summary>CONFIG_BUILD_SALT, which every Linux has a note of since 4.19; name "Linux".</summary>
    public const uint LINUX_ELFNOTE_BUILD_SALT = 0x100;

    /// <summary>The physical address of the 32-bit PVH entry; name "Xen".</summary>
    public const uint XEN_ELFNOTE_PHYS32_ENTRY = 18;
}
