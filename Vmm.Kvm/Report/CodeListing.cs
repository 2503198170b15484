using System.Globalization;
using System.Text;
using Iced.Intel;
using Vmm.Core.Memory;
using Vmm.Kvm.Native;
using Decoder = Iced.Intel.Decoder;

namespace Vmm.Kvm.Report;

/// <summary>The instructions around RIP, the one at RIP marked.</summary>
internal sealed class CodeListing(GuestMemory? memory, kvm_sregs special, PageWalk walk)
{
    private const int LinesBefore = 4;
    private const int LinesAfter = 5;
    private const int BytesBefore = 48;
    private const int BytesAfter = 15 * (LinesAfter + 1);

    private readonly int _bitness = special.cs.l != 0 ? 64 : special.cs.db != 0 ? 32 : 16;

    internal void Write(StringBuilder text, ulong rip)
    {
        text.Append(CultureInfo.InvariantCulture, $"code ({_bitness} bit):\n");
        byte[] after = Fetch(rip, BytesAfter);
        if (after.Length == 0)
        {
            text.Append(CultureInfo.InvariantCulture, $"  => {rip:x16}  no RAM at RIP\n");
            return;
        }

        List<Instruction> lines = Before(rip);
        foreach (Instruction line in lines.Skip(Math.Max(0, lines.Count - LinesBefore)))
        {
            WriteLine(text, line, Fetch(line.IP, line.Length), atRip: false);
        }

        List<Instruction> from = Decode(after, rip);
        for (int i = 0; i < Math.Min(from.Count, LinesAfter + 1); i++)
        {
            WriteLine(text, from[i], after.AsSpan((int)(from[i].IP - rip), from[i].Length), atRip: i == 0);
        }
    }

    /// <summary>Instructions have no length from behind: the earliest start that leads exactly to RIP is taken.</summary>
    private List<Instruction> Before(ulong rip)
    {
        for (ulong back = Math.Min(BytesBefore, rip); back > 0; back--)
        {
            byte[] bytes = Fetch(rip - back, (int)back);
            if ((ulong)bytes.Length == back)
            {
                List<Instruction> lines = Decode(bytes, rip - back);
                if (lines.Count > 0 && lines[^1].NextIP == rip && lines.TrueForAll(l => l.Code != Code.INVALID))
                {
                    return lines;
                }
            }
        }

        return [];
    }

    private List<Instruction> Decode(byte[] bytes, ulong ip)
    {
        var decoder = Decoder.Create(_bitness, bytes, ip);
        var lines = new List<Instruction>();
        while (decoder.IP - ip < (ulong)bytes.Length)
        {
            Instruction line = decoder.Decode();
            if (line.Code == Code.INVALID && decoder.LastError == DecoderError.NoMoreBytes && lines.Count > 0)
            {
                break;
            }

            lines.Add(line);
        }

        return lines;
    }

    private static void WriteLine(StringBuilder text, in Instruction line, ReadOnlySpan<byte> bytes, bool atRip)
    {
        var output = new StringOutput();
        new NasmFormatter().Format(line, output);
        text.Append(CultureInfo.InvariantCulture, $"  {(atRip ? "=>" : "  ")} {line.IP:x16}  {Convert.ToHexStringLower(bytes),-22} {output.ToStringAndReset()}\n");
    }

    /// <summary>Bytes at an instruction pointer, up to the first that is not mapped RAM.</summary>
    private byte[] Fetch(ulong rip, int count)
    {
        byte[] bytes = new byte[count];
        for (int i = 0; i < count; i++)
        {
            ulong linear = _bitness == 64 ? rip + (ulong)i : (uint)(special.cs.@base + rip + (ulong)i);
            if (memory is null || walk.Translate(linear) is not { } physical || !memory.TryRead(new GuestAddress(physical), out bytes[i]))
            {
                return bytes[..i];
            }
        }

        return bytes;
    }
}
