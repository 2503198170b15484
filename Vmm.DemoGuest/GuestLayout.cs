namespace Vmm.DemoGuest;

/// <summary>The guest's memory map: what lies where, in guest-physical (and, identity-mapped, virtual) addresses.</summary>
internal static class GuestLayout
{
    // Loaded from the file: ELF header and code first, then tables and texts. All is below 2 GiB, so that every
    // address fits a sign-extended 32-bit displacement.
    public const int Image = 0x0010_0000;
    public const int ProtectedModeCode = Image + 0x400;
    public const int LongModeCode = Image + 0x600;

    /// <summary>
    /// ud2 and ret: the only place from which ring 3 calls ring 0. At a known address, so that #UD tells it by one comparison.
    /// </summary>
    public const int Ring0Gate = LongModeCode;
    public const int AfterProtectedMode = LongModeCode + 4;
    public const int CodeEnd = Image + 0x1_0000;

    // Tables that are ready when the guest starts: building them in ring 0 would cost milliseconds on a KVM that emulates it.
    public const int Data = CodeEnd;
    public const int PageMapLevel4 = Data;
    public const int PageDirectoryPointers = Data + 0x1000;
    public const int PageDirectories = Data + 0x2000;
    public const int GlobalDescriptors = Data + 0x6000;
    public const int TaskState = Data + 0x6040;
    public const int InterruptDescriptors = Data + 0x6400;
    public const int DescriptorPointers = Data + 0x6A00;
    public const int Options = Data + 0x6C00;
    public const int Texts = Data + 0x7000;
    public const int DataEnd = Data + 0x9000;

    // Zeroed by the loader (p_memsz above p_filesz).
    public const int Variables = DataEnd;
    public const int CommandLine = DataEnd + 0x1000;
    public const int CommandLineSize = 0x1000;
    public const int Interfaces = DataEnd + 0x2000;
    public const int InterfaceSize = 0x1000;

    /// <summary>The interrupt pins that this project's machine has for devices.</summary>
    public const int MaximumInterfaces = 19;
    public const int KernelStackTop = Interfaces + (MaximumInterfaces * InterfaceSize) + 0x1000;
    public const int UserStackTop = KernelStackTop + 0x2000;
    public const int ImageEnd = UserStackTop;

    // Given out at run time, up to the end of the RAM that the loader reports (AssumedRam when it reports none).
    public const int CheckedMemory = 0x0020_0000;
    public const int ArenaReserve = 0x0080_0000;
    public const int DefaultCheckSize = 0x0010_0000;
    public const int MinimumRam = CheckedMemory + DefaultCheckSize + ArenaReserve;
    public const int AssumedRam = 0x0200_0000;

    // What the machine has in the hole below 4 GiB.
    public const uint RamLimit = 0xC000_0000;
    public const uint IoApic = 0xFEC0_0000;
    public const uint LocalApic = 0xFEE0_0000;
}
