using System.Runtime.InteropServices;
using Iced.Intel;
using Vmm.Core.Hypervisor;
using Vmm.Core.Memory;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Perf.Guests;

/// <summary>Guests of a few instructions, in 64-bit mode, that make exits in an endless loop.</summary>
internal static class ExitGuest
{
    public const ushort Port = 0x600;
    public const ulong MmioAddress = 0xD000_0000;

    /// <summary>Where <see cref="DoorbellLoop"/> rings; it acknowledges at the next word.</summary>
    public const ulong DoorbellAddress = MmioAddress;

    public const ulong AcknowledgeAddress = MmioAddress + 4;

    /// <summary>The IOAPIC pin that answers.</summary>
    public const uint Pin = 5;

    private const ulong CodeAddress = 0x10_0000;
    private const ulong HandlerAddress = CodeAddress + 0x1000;
    private const ulong DescriptorTable = 0x800;
    private const ulong PageTable = 0x1000;
    private const ulong InterruptTable = 0x8000;
    private const ulong InterruptTablePointer = 0x9000;
    private const ulong StackTop = 0x8_0000;
    private const uint LocalApic = 0xFEE0_0000;
    private const uint IoApic = 0xFEC0_0000;
    private const byte Vector = 0x40;

    public static CpuEntry Entry { get; } = new(
        CpuMode.Long64, new GuestAddress(CodeAddress), new GuestAddress(0x6000), new GuestAddress(PageTable), new GuestAddress(DescriptorTable));

    /// <summary>A byte to <see cref="Port"/>, again and again.</summary>
    public static void PortLoop(Assembler c)
    {
        Label again = c.CreateLabel();
        c.mov(dx, Port);
        c.Label(ref again);
        c.@out(dx, al);
        c.jmp(again);
    }

    /// <summary>A word to <see cref="MmioAddress"/>, again and again.</summary>
    public static void MmioLoop(Assembler c)
    {
        Label again = c.CreateLabel();
        c.mov(rbx, MmioAddress);
        c.Label(ref again);
        c.mov(__dword_ptr[rbx], eax);
        c.jmp(again);
    }

    /// <summary>
    /// Rings the doorbell, halts until the level-triggered interrupt, writes the acknowledgement (which lowers the line), ends the
    /// interrupt; again and again.
    /// </summary>
    public static void DoorbellLoop(Assembler c)
    {
        Label again = c.CreateLabel();
        c.mov(rsp, StackTop);
        c.lidt(__[InterruptTablePointer]);
        c.mov(al, 0xFF); // The PIC has the same pin: mask it.
        c.@out(0x21, al);
        c.@out(0xA1, al);
        c.mov(ebx, LocalApic);
        c.mov(__dword_ptr[rbx + 0xF0], 0x1FF); // Spurious vector register: enable.
        c.mov(ecx, IoApic);
        c.mov(__dword_ptr[rcx], 0x10 + 2 * Pin);
        c.mov(__dword_ptr[rcx + 0x10], 1 << 15 | Vector); // Level-triggered, active high, to APIC 0.
        c.mov(__dword_ptr[rcx], 0x11 + 2 * Pin);
        c.mov(__dword_ptr[rcx + 0x10], 0);
        c.mov(rcx, DoorbellAddress);
        c.xor(eax, eax);
        c.Label(ref again);
        c.cli();
        c.mov(__dword_ptr[rcx], eax);
        c.sti();
        c.hlt();
        c.jmp(again);
    }

    /// <summary>Writes the program, and what it stands on: descriptors, page tables for 4 GiB, the interrupt handler.</summary>
    public static void Load(GuestMemory memory, Action<Assembler> program)
    {
        Write(memory, CodeAddress, Assemble(program, CodeAddress));
        Write(memory, HandlerAddress, Assemble(Handle, HandlerAddress));
        Write(memory, DescriptorTable, 0, 0x00CF_9B00_0000_FFFF, 0x00CF_9300_0000_FFFF, 0, 0x00AF_9B00_0000_FFFF);
        Write(memory, InterruptTable + 16 * Vector, 0x8E00_0020_0000 | HandlerAddress & 0xFFFF | HandlerAddress >> 16 << 48, 0);
        Write(memory, InterruptTablePointer, InterruptTable << 16 | 0xFFF, 0);
        Write(memory, PageTable, PageTable + 0x1000 | 3);
        for (ulong gib = 0; gib < 4; gib++)
        {
            ulong directory = PageTable + 0x2000 + gib * 0x1000;
            Write(memory, PageTable + 0x1000 + gib * 8, directory | 3);
            for (ulong i = 0; i < 512; i++)
            {
                Write(memory, directory + i * 8, (gib << 30) + (i << 21) | 0x83);
            }
        }
    }

    private static void Handle(Assembler c)
    {
        c.mov(__dword_ptr[rcx + 4], eax);
        c.mov(__dword_ptr[rbx + 0xB0], eax); // End of interrupt.
        c.iretq();
    }

    private static void Write(GuestMemory memory, ulong address, params ReadOnlySpan<ulong> values) => Write(memory, address, MemoryMarshal.AsBytes(values));

    private static void Write(GuestMemory memory, ulong address, ReadOnlySpan<byte> bytes) => memory.Write(new GuestAddress(address), bytes);

    private static byte[] Assemble(Action<Assembler> program, ulong address)
    {
        Assembler assembler = new(64);
        program(assembler);
        using MemoryStream code = new();
        assembler.Assemble(new StreamCodeWriter(code), address);
        return code.ToArray();
    }
}
