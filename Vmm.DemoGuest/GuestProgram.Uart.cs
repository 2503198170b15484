using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.DemoGuest;

/// <content>Output on COM1. Used in ring 3, and in ring 0 by the exception report.</content>
internal sealed partial class GuestProgram
{
    private const short UartData = 0x3F8;
    private const short UartLineStatus = 0x3FD;
    private const int UartFifo = 16;

    /// <summary>Prints a text. Changes RAX, RCX, RDX, RSI.</summary>
    private void Print(string text)
    {
        c.mov(esi, texts.AddressOf(text));
        c.mov(ecx, text.Length);
        c.call(To(PutText));
    }

    private void PrintLine(string text) => Print(text + "\r\n");

    private void PrintLineEnd() => Print("\r\n");

    /// <summary>RSI: text, ECX: length.</summary>
    private void PutText()
    {
        Label next = c.CreateLabel(), done = c.CreateLabel();
        Place(ref next);
        c.test(ecx, ecx);
        c.jz(done);
        c.lodsb();
        c.call(To(PutCharacter));
        c.dec(ecx);
        c.jmp(next);
        Place(ref done);
        c.ret();
    }

    /// <summary>
    /// AL: character. Changes RAX and RDX. The line status costs an exit, so it is read once per FIFO, and not
    /// for ever: a line that never drains must not stop the network.
    /// </summary>
    private void PutCharacter()
    {
        Label send = c.CreateLabel(), wait = c.CreateLabel(), empty = c.CreateLabel();
        c.dec(__dword_ptr[Variables.UartRoom]);
        c.jns(send);
        c.push(rcx);
        c.push(rax);
        c.mov(ecx, 1000);
        c.mov(dx, UartLineStatus);
        Place(ref wait);
        c.@in(al, dx);
        c.test(al, 0x20);
        c.jnz(empty);
        c.dec(ecx);
        c.jnz(wait);
        Place(ref empty);
        c.mov(__dword_ptr[Variables.UartRoom], UartFifo - 1);
        c.pop(rax);
        c.pop(rcx);
        Place(ref send);
        c.mov(dx, UartData);
        c.@out(dx, al);
        c.ret();
    }

    /// <summary>RAX: number, printed as 0x and its digits without leading zeros. Changes RAX, RCX, RDX, RSI.</summary>
    private void PutHexadecimal()
    {
        c.push(rax);
        Print("0x");
        c.pop(rax);
        c.mov(ecx, 16);
        c.jmp(To(PutNumber));
    }

    private void PutDecimal()
    {
        c.mov(ecx, 10);
        c.jmp(To(PutNumber));
    }

    /// <summary>RAX: number, RCX: base. Digits are found last first, so they go by the stack.</summary>
    private void PutNumber()
    {
        Label more = c.CreateLabel(), digit = c.CreateLabel();
        c.xor(esi, esi);
        Place(ref more);
        c.xor(edx, edx);
        c.div(rcx);
        c.push(rdx);
        c.inc(esi);
        c.test(rax, rax);
        c.jnz(more);
        Place(ref digit);
        c.pop(rax);
        c.call(To(PutDigit));
        c.dec(esi);
        c.jnz(digit);
        c.ret();
    }

    /// <summary>AL: 0 to 15. Changes RAX and RDX.</summary>
    private void PutDigit()
    {
        Label small = c.CreateLabel();
        c.add(al, (sbyte)'0');
        c.cmp(al, (sbyte)'9');
        c.jbe(small);
        c.add(al, 'a' - '9' - 1);
        Place(ref small);
        c.jmp(To(PutCharacter));
    }

    /// <summary>AL: byte, printed as two hexadecimal digits.</summary>
    private void PutByte()
    {
        c.push(rax);
        c.movzx(eax, al);
        c.shr(eax, 4);
        c.call(To(PutDigit));
        c.pop(rax);
        c.and(eax, 15);
        c.jmp(To(PutDigit));
    }
}
