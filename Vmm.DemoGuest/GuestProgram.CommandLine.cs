using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.DemoGuest;

/// <content>Reads the command line by the table of <see cref="CommandLineOption"/>.</content>
internal sealed partial class GuestProgram
{
    /// <summary>R8: the word, R9D: its length; RBX: the row, R10D: its number.</summary>
    private void ParseCommandLine()
    {
        Label word = c.CreateLabel(), space = c.CreateLabel(), measure = c.CreateLabel(), measured = c.CreateLabel();
        Label row = c.CreateLabel(), nextRow = c.CreateLabel(), nextWord = c.CreateLabel(), done = c.CreateLabel();
        Label compare = c.CreateLabel();
        c.mov(r8d, GuestLayout.CommandLine);
        Place(ref word);
        c.mov(al, __byte_ptr[r8]);
        c.test(al, al);
        c.jz(done);
        c.cmp(al, 0x20);
        c.ja(measure);
        Place(ref space);
        c.inc(r8);
        c.jmp(word);
        Place(ref measure);
        c.xor(r9d, r9d);
        Label character = c.CreateLabel();
        Place(ref character);
        c.cmp(__byte_ptr[r8 + r9], 0x20);
        c.jbe(measured);
        c.inc(r9d);
        c.jmp(character);

        Place(ref measured);
        c.mov(ebx, GuestLayout.Options);
        c.xor(r10d, r10d);
        Place(ref row);
        c.mov(ecx, __dword_ptr[rbx + 4]);
        c.cmp(__dword_ptr[rbx + 8], (int)OptionKind.Flag);
        c.jne(compare);
        c.cmp(ecx, r9d);
        c.jne(nextRow);
        Place(ref compare);
        c.cmp(ecx, r9d);
        c.ja(nextRow);
        c.mov(esi, __dword_ptr[rbx]);
        c.mov(rdi, r8);
        c.repe.cmpsb();
        c.jne(nextRow);
        c.mov(__byte_ptr[r10 + Variables.OptionSeen], 1);
        c.mov(rsi, rdi);
        c.call(To(TakeValue));
        c.jmp(nextWord);
        Place(ref nextRow);
        c.add(rbx, CommandLineOption.RowSize);
        c.inc(r10d);
        c.cmp(r10d, CommandLineOption.All.Count);
        c.jb(row);
        Place(ref nextWord);
        c.add(r8, r9);
        c.jmp(word);
        Place(ref done);
        c.ret();
    }

    /// <summary>RSI: what follows the name of the option at RBX.</summary>
    private void TakeValue()
    {
        Label number = c.CreateLabel(), address = c.CreateLabel(), device = c.CreateLabel();
        c.mov(eax, __dword_ptr[rbx + 8]);
        c.cmp(eax, (int)OptionKind.Number);
        c.je(number);
        c.cmp(eax, (int)OptionKind.Address);
        c.je(address);
        c.cmp(eax, (int)OptionKind.Device);
        c.je(device);
        c.ret();
        Place(ref number);
        c.call(To(ParseNumber));
        c.mov(edx, __dword_ptr[rbx + 12]);
        c.mov(__qword_ptr[rdx], rax);
        c.ret();
        Place(ref address);
        c.call(To(ParseAddress));
        c.mov(edx, __dword_ptr[rbx + 12]);
        c.mov(__dword_ptr[rdx], eax);
        c.ret();
        Place(ref device);
        c.jmp(To(ParseDevice));
    }

    /// <summary>Number at RSI to RAX: decimal or 0x hexadecimal, then perhaps K, M or G. RSI moves past it.</summary>
    private void ParseNumber()
    {
        Label digits = c.CreateLabel(), letter = c.CreateLabel(), take = c.CreateLabel(), suffix = c.CreateLabel();
        Label kilo = c.CreateLabel(), mega = c.CreateLabel(), giga = c.CreateLabel(), shift = c.CreateLabel();
        c.xor(eax, eax);
        c.mov(ecx, 10);
        c.cmp(__byte_ptr[rsi], (sbyte)'0');
        c.jne(digits);
        c.mov(dl, __byte_ptr[rsi + 1]);
        c.or(dl, 0x20);
        c.cmp(dl, (sbyte)'x');
        c.jne(digits);
        c.mov(ecx, 16);
        c.add(rsi, 2);
        Place(ref digits);
        c.movzx(edi, __byte_ptr[rsi]);
        c.sub(edi, '0');
        c.cmp(edi, 10);
        c.jb(take);
        Place(ref letter);
        c.movzx(edi, __byte_ptr[rsi]);
        c.or(edi, 0x20);
        c.sub(edi, 'a' - 10);
        c.cmp(edi, 10);
        c.jb(suffix);
        Place(ref take);
        c.cmp(edi, ecx);
        c.jae(suffix);
        c.mul(rcx);
        c.add(rax, rdi);
        c.inc(rsi);
        c.jmp(digits);

        Place(ref suffix);
        c.mov(dl, __byte_ptr[rsi]);
        c.or(dl, 0x20);
        c.mov(ecx, 10);
        c.cmp(dl, (sbyte)'k');
        c.je(kilo);
        c.cmp(dl, (sbyte)'m');
        c.je(mega);
        c.cmp(dl, (sbyte)'g');
        c.je(giga);
        c.ret();
        Place(ref giga);
        c.add(ecx, 10);
        Place(ref mega);
        c.add(ecx, 10);
        Place(ref kilo);
        c.inc(rsi);
        Place(ref shift);
        c.shl(rax, cl);
        c.ret();
    }

    /// <summary>Dotted IPv4 address at RSI to EAX, in network order.</summary>
    private void ParseAddress()
    {
        Label part = c.CreateLabel();
        c.xor(r11d, r11d);
        c.mov(ebp, 4);
        Place(ref part);
        c.call(To(ParseNumber));
        c.inc(rsi);
        c.shl(r11d, 8);
        c.or(r11b, al);
        c.dec(ebp);
        c.jnz(part);
        c.mov(eax, r11d);
        c.bswap(eax);
        c.ret();
    }

    /// <summary>SIZE@ADDRESS:INTERRUPT at RSI becomes an entry of the table of devices; what is over is passed over.</summary>
    private void ParseDevice()
    {
        Label done = c.CreateLabel();
        c.mov(r11d, __dword_ptr[Variables.DeviceCount]);
        c.cmp(r11d, Variables.MaximumDevices);
        c.jae(done);
        c.shl(r11d, 4);
        c.call(To(ParseNumber));
        c.cmp(__byte_ptr[rsi], (sbyte)'@');
        c.jne(done);
        c.inc(rsi);
        c.call(To(ParseNumber));
        c.cmp(__byte_ptr[rsi], (sbyte)':');
        c.jne(done);
        c.mov(__qword_ptr[r11 + Variables.Devices], rax);
        c.inc(rsi);
        c.call(To(ParseNumber));
        c.mov(__qword_ptr[r11 + (Variables.Devices + 8)], rax);
        c.inc(__dword_ptr[Variables.DeviceCount]);
        Place(ref done);
        c.ret();
    }
}
