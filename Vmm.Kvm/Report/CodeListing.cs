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

        foreach (Instruction line in Before(rip))
        {
            WriteLine(text, line, Fetch(line.IP, line.Length), atRip: false);
        }

        List<Instruction> from = Decode(after, rip);
        for (int i = 0; i < Math.Min(from.Count, LinesAfter + 1); i++)
        {
            WriteLine(text, from[i], after.AsSpan((int)(from[i].IP - rip), from[i].Length), atRip: i == 0);
        }
    }

    /// <summary>
    /// Code can't be read backwards. Decoding falls into step with the real instructions after a few wrong ones, so of all starts that
    /// lead exactly to RIP most agree on the last lines: those are taken.
    /// </summary>
    private List<Instruction> Before(ulong rip)
    {
        var votes = new Dictionary<string, (int Count, List<Instruction> Lines)>();
        for (ulong back = 1; back <= Math.Min(BytesBefore, rip); back++)
        {
            byte[] bytes = Fetch(rip - back, (int)back);
            if ((ulong)bytes.Length != back)
            {
                break;
            }

            List<Instruction> lines = Decode(bytes, rip - back);
            if (lines.Count == 0 || lines[^1].NextIP != rip || lines.Exists(l => l.Code == Code.INVALID))
            {
                continue;
            }

            List<Instruction> last = lines[^Math.Min(LinesBefore, lines.Count)..];
            string key = string.Join(' ', last.Select(l => l.IP));
            votes[key] = (votes.GetValueOrDefault(key).Count + 1, last);
        }

        return votes.Count == 0 ? [] : votes.Values.MaxBy(v => v.Count * 100 + v.Lines.Count).Lines;
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
