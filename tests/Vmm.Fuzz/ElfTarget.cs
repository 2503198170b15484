using Vmm.Core.Machine;
using Vmm.Core.Machine.Boot;
using Vmm.Core.Memory;
using Vmm.Core.Tests.Machine.Boot;

namespace Vmm.Fuzz;

/// <summary>The boot loader: any file loads or is a <see cref="BootException"/>, and one that was refused has written nothing.</summary>
internal sealed class ElfTarget : FuzzTarget, IDisposable
{
    private const int Size = 4 << 20;

    private readonly GuestMemory _memory = GuestMemory.Create(new GuestMemoryOptions(Size));

    public override string Name => "elf";

    public override IEnumerable<(string Name, byte[] Bytes)> Seeds =>
    [
        ("pvh", ElfBuilder.Pvh().Build()),
        ("flat", ElfBuilder.Flat().Build()),
        ("pvh-8-byte-note", new ElfBuilder().Load(0x10_0000, ElfBuilder.Pattern(64), 64).Note(ElfBuilder.PvhNote(BitConverter.GetBytes(0x10_0000ul), 8), 8).Build()),
        ("upper-half", new ElfBuilder { Entry = 0xFFFF_FFFF_8010_0008 }.Load(0x20_0000, ElfBuilder.Pattern(64), 0x8000, 0xFFFF_FFFF_8010_0000).Build()),
        ("low-and-high", ElfBuilder.Pvh().Load(0x8000, ElfBuilder.Pattern(100), 200).Load(0x11_0000, ElfBuilder.Pattern(64), 0x2_0000).Build()),
        ("note-section", ElfBuilder.Flat().NoteSection(ElfBuilder.PvhNote(BitConverter.GetBytes(0x10_0000))).Build()),
        ("gzip", [0x1F, 0x8B, 8, 0]),
    ];

    public override void Run(ReadOnlySpan<byte> input)
    {
        _memory.Clear(default, Size);
        using BootImage kernel = BootImage.FromBytes("input", input.ToArray());
        using BootImage initrd = BootImage.FromBytes("initrd", new byte[5000]);
        try
        {
            BootLoader.Load(_memory, new BootConfig(kernel, initrd, "console=ttyS0", [MachineLayout.GetVirtioMmioSlot(0)]));
        }
        catch (BootException)
        {
            if (_memory.TryGetSpan(default, Size, out Span<byte> ram) && ram.IndexOfAnyExcept((byte)0) is >= 0 and int place)
            {
                throw new InvalidOperationException($"The file was refused and 0x{place:x} has changed.");
            }
        }
    }

    public void Dispose() => _memory.Dispose();
}
