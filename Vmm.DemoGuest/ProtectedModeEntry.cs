using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.DemoGuest;

/// <summary>The PVH entry: 32-bit protected mode, flat segments, no paging, EBX at hvm_start_info. Goes to long mode.</summary>
internal sealed class ProtectedModeEntry(TextTable texts)
{
    private const uint ExtendedFeatures = 0xC000_0080;
    private const uint LongModeEnable = 0x100;
    private const uint PhysicalAddressExtension = 0x20;
    private const uint FloatingPointState = 0x600; // OSFXSR, OSXMMEXCPT
    private const uint Paging = 0x8000_0000;

    public byte[] Assemble()
    {
        var c = new Assembler(32);
        c.cli();
        c.cld();
        // 8 data bits, FIFO on; then the first words, as early as can be: they fit the FIFO of 16.
        c.mov(dx, 0x3FB);
        c.mov(al, 3);
        c.@out(dx, al);
        c.mov(dx, 0x3FA);
        c.mov(al, 1);
        c.@out(dx, al);
        c.mov(dx, 0x3F8);
        c.mov(esi, texts.AddressOf(DemoGuestImage.Banner));
        c.mov(ecx, DemoGuestImage.Banner.Length);
        c.rep.outsb();

        c.lgdt(__[DataSegment.GlobalDescriptorPointer]);
        c.mov(eax, GuestLayout.PageMapLevel4);
        c.mov(cr3, eax);
        c.mov(eax, cr4);
        c.or(eax, PhysicalAddressExtension | FloatingPointState);
        c.mov(cr4, eax);
        c.mov(ecx, ExtendedFeatures);
        c.rdmsr();
        c.or(eax, LongModeEnable);
        c.wrmsr();
        c.mov(eax, cr0);
        c.or(eax, Paging);
        c.mov(cr0, eax);
        c.jmp(DataSegment.KernelCode, GuestLayout.AfterProtectedMode);

        using var output = new MemoryStream();
        c.Assemble(new StreamCodeWriter(output), GuestLayout.ProtectedModeCode);
        return output.ToArray();
    }
}
