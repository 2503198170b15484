using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Kvm.Tests.Guests;

/// <summary>64-bit guest programs with an interrupt table, a LAPIC that is on, and one handler that counts.</summary>
internal static class InterruptGuest
{
    internal const byte Vector = 0x40;
    internal const ulong Count = 0x20_0000;
    internal const ulong Ready = 0x20_0004;

    /// <summary>The handler writes here before its EOI, for a device that wants to lower its line.</summary>
    internal const ushort AcknowledgePort = 0x600;

    private const ulong LapicEoi = 0xFEE0_00B0;
    private const ulong LapicSpurious = 0xFEE0_00F0;
    private const ulong IoApicSelect = 0xFEC0_0000;
    private const ulong IoApicWindow = 0xFEC0_0010;
    private const ulong InterruptTable = 0x20000;
    private const ulong TablePointer = 0x21000;
    private const ulong HandlerAddress = 0x11_0000;
    private const int Level = 1 << 15;

    /// <summary>
    /// With the line low no further interrupt comes. One may still be on its way: a KVM that emulates the guest's kernel ends the
    /// interrupt as it delivers it, so that a line which is high at that moment interrupts once more.
    /// </summary>
    internal static void ExpectQuiet(GuestMachine machine)
    {
        uint count = 0;
        SpinWait.SpinUntil(
            () =>
            {
                uint before = count;
                count = machine.Get<uint>(Count);
                Thread.Sleep(20);
                return count == before;
            },
            TimeSpan.FromSeconds(30)).Should().BeTrue("a line that is low does not interrupt for ever");
        machine.Lifetime.HasEnded.Should().BeFalse();
    }

    /// <summary>Starts a guest that halts and counts the interrupts of one IOAPIC pin.</summary>
    internal static void Start(GuestMachine machine, int pin, bool level)
    {
        Prepare(machine, Handler);
        machine.Start64(c => Program(c, pin, level));
        machine.WaitForCounter(Ready, 0);
    }

    /// <summary>Writes the interrupt table, whose one entry is <see cref="Vector"/>.</summary>
    internal static void Prepare(GuestMachine machine, Action<Assembler> handler)
    {
        // A 64-bit interrupt gate: offset 15:0, selector, type 0x8E, offset 31:16, offset 63:32.
        ulong selector = 0x20;
        machine.Put(InterruptTable + Vector * 16UL, (HandlerAddress & 0xFFFF) | (selector << 16) | (0x8EUL << 40) | (HandlerAddress >> 16 << 48));
        machine.Put(TablePointer, (ushort)(256 * 16 - 1));
        machine.Put(TablePointer + 2, InterruptTable);
        machine.Load(HandlerAddress, 64, handler);
    }

    /// <summary>Loads stack and interrupt table, and turns the LAPIC on. Interrupts stay off.</summary>
    internal static void Begin(Assembler c)
    {
        c.mov(rsp, GuestMachine.StackTop);
        c.lidt(__[TablePointer]);
        Store(c, LapicSpurious, 0x1FF);
    }

    /// <summary>Routes an IOAPIC pin to <see cref="Vector"/> of the first vCPU.</summary>
    internal static void Route(Assembler c, int pin, bool level)
    {
        Store(c, IoApicSelect, 0x11 + pin * 2);
        Store(c, IoApicWindow, 0);
        Store(c, IoApicSelect, 0x10 + pin * 2);
        Store(c, IoApicWindow, Vector | (level ? Level : 0));
    }

    /// <summary>Halts for ever, with interrupts on.</summary>
    internal static void Idle(Assembler c)
    {
        Label again = c.CreateLabel();
        c.sti();
        c.Label(ref again);
        c.hlt();
        c.jmp(again);
    }

    /// <summary>Spins until a 32-bit word in RAM is not 0.</summary>
    internal static void WaitFor(Assembler c, ulong word)
    {
        Label again = c.CreateLabel();
        c.Label(ref again);
        c.cmp(__dword_ptr[word], 0);
        c.je(again);
    }

    /// <summary>The end of a handler.</summary>
    internal static void Return(Assembler c)
    {
        Store(c, LapicEoi, 0);
        c.iretq();
    }

    private static void Program(Assembler c, int pin, bool level)
    {
        Begin(c);
        Route(c, pin, level);
        c.sti();
        c.mov(__dword_ptr[Ready], 1);
        Label again = c.CreateLabel();
        c.Label(ref again);
        c.hlt();
        c.jmp(again);
    }

    private static void Handler(Assembler c)
    {
        c.inc(__dword_ptr[Count]);
        c.mov(edx, AcknowledgePort);
        c.@out(dx, al);
        Return(c);
    }

    internal static void Store(Assembler c, ulong register, int value)
    {
        c.mov(rbx, register);
        c.mov(__dword_ptr[rbx], value);
    }
}
