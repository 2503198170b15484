namespace Vmm.Migration.Stream;

/// <summary>The byte that begins each part of a stream (QEMU's migration/savevm.h).</summary>
internal enum SectionType : byte
{
    /// <summary>QEMU_VM_EOF: the device state ends here.</summary>
    EndOfFile = 0x00,

    /// <summary>QEMU_VM_SECTION_START: the first part of what comes in parts.</summary>
    Start = 0x01,

    /// <summary>QEMU_VM_SECTION_PART.</summary>
    Part = 0x02,

    /// <summary>QEMU_VM_SECTION_END: the last part.</summary>
    End = 0x03,

    /// <summary>QEMU_VM_SECTION_FULL: a section in one piece.</summary>
    Full = 0x04,

    /// <summary>QEMU_VM_VMDESCRIPTION: length and JSON; nothing follows.</summary>
    Description = 0x06,

    /// <summary>QEMU_VM_CONFIGURATION: length and machine name.</summary>
    Configuration = 0x07,

    /// <summary>QEMU_VM_SECTION_FOOTER: the section's number once more.</summary>
    Footer = 0x7e,
}
