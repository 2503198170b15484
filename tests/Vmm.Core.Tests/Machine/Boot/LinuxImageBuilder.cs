namespace Vmm.Core.Tests.Machine.Boot;

/// <summary>Writes bzImages of a few pages, right by default and wrong where a test says so.</summary>
internal static class LinuxImageBuilder
{
    public const int SetupSectors = 2;
    public const int SetupSize = (SetupSectors + 1) * 512;
    public const ulong PreferredAddress = 0x20_0000;
    public const uint InitSize = 0x40_0000;

    public static byte[] Build(Action<byte[]>? change = null)
    {
        byte[] kernel = ElfBuilder.Pattern(0x1234);
        byte[] file = [.. new byte[SetupSize], .. kernel];
        file[0x1F1] = SetupSectors;
        ElfBuilder.Put(file, 0x1FE, (ushort)0xAA55);
        file[0x200] = 0xEB;
        file[0x201] = 0x6A; // the header ends at 0x26C
        "HdrS"u8.CopyTo(file.AsSpan(0x202));
        ElfBuilder.Put(file, 0x206, (ushort)0x020F);
        file[0x211] = 1;
        ElfBuilder.Put(file, 0x22C, 0x7FFF_FFFFu);
        ElfBuilder.Put(file, 0x230, 0x20_0000u);
        ElfBuilder.Put(file, 0x236, (ushort)0x7F);
        ElfBuilder.Put(file, 0x238, 2047u);
        ElfBuilder.Put(file, 0x258, PreferredAddress);
        ElfBuilder.Put(file, 0x260, InitSize);
        change?.Invoke(file);
        return file;
    }
}
