namespace Vmm.Migration.Stream;

/// <summary>QEMU's migration stream, version 3. All integers are big endian.</summary>
/// <remarks>
/// <code>
/// u32 "QEVM", u32 3
/// 07 u32 length, machine name
/// 04 u32 number, u8 length, name, u32 instance, u32 version, body, 7e u32 number       for each section
/// 00
/// 06 u32 length, JSON                                                                  left out where both ends know the sections
/// </code>
/// </remarks>
internal static class StreamFormat
{
    /// <summary>"QEVM".</summary>
    public const uint Magic = 0x5145_564d;

    public const uint Version = 3;

    /// <summary>The version of the section that holds RAM.</summary>
    public const int RamVersion = 4;

    /// <summary>What QEMU's readers take for the size of a page of guest memory.</summary>
    public const int PageSize = 4096;

    /// <summary>More than any machine's device state; what is longer is refused before it is read.</summary>
    public const int MaxStateSize = 64 << 20;
}
