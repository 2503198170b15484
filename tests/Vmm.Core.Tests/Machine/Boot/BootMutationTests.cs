using System.Buffers.Binary;
using CsCheck;
using Vmm.Core.Machine;
using Vmm.Core.Machine.Boot;

namespace Vmm.Core.Tests.Machine.Boot;

/// <summary>Whatever is done to a valid ELF: it loads, or it is a BootException; and only where it says, RAM changes.</summary>
public sealed class BootMutationTests
{
    private const int Size = 4 << 20;
    private const byte Untouched = 0xA5;

    private static readonly byte[] Valid = ElfBuilder.Pvh()
        .Load(0x8000, ElfBuilder.Pattern(100), 200)
        .Load(0x11_0000, ElfBuilder.Pattern(64), 0x2_0000, 0xFFFF_FFFF_8011_0000)
        .Build();

    private static readonly ulong[] Interesting =
        [0, 1, 4, 8, 0x8FFF, 0x9_0000, 0x10_0000, Size - 1, Size, 0xC000_0000, 0xFFFF_FFFF, 1ul << 32, long.MaxValue, 1ul << 63, ulong.MaxValue - 4095, ulong.MaxValue];

    private static readonly int HeaderEnd = ElfBuilder.HeaderSize + 4 * ElfBuilder.ProgramHeaderSize;

    /// <summary>One change: bytes or an interesting number, mostly in the headers.</summary>
    private static readonly Gen<Action<byte[]>> Change = Gen.OneOf(
        Gen.Select(Gen.Int[0, HeaderEnd - 1], Gen.Byte, (offset, value) => (Action<byte[]>)(f => f[offset] = value)),
        Gen.Select(Gen.Int[0, HeaderEnd / 4 - 2], Gen.Int[0, Interesting.Length - 1].Select(i => Interesting[i]), (word, value) => (Action<byte[]>)(f => ElfBuilder.Put(f, word * 4, value))),
        Gen.Select(Gen.Int[0, 3], Gen.Int[1, 6], Gen.ULong, (header, field, value)
            => (Action<byte[]>)(f => ElfBuilder.Put(f, ElfBuilder.HeaderSize + header * ElfBuilder.ProgramHeaderSize + field * 8, value))),
        Gen.Select(Gen.Int[0, 3], Gen.Int[1, 6], Gen.ULong[0, Size + 0x1000], (header, field, value)
            => (Action<byte[]>)(f => ElfBuilder.Put(f, ElfBuilder.HeaderSize + header * ElfBuilder.ProgramHeaderSize + field * 8, value))),
        Gen.Select(Gen.Int[HeaderEnd, Valid.Length - 1], Gen.Byte, (offset, value) => (Action<byte[]>)(f => f[offset] = value)));

    [Fact]
    public void Load_MutatedElf_LoadsOrThrowsBootExceptionAndTouchesOnlyItsPlaces()
    {
        using BootFixture boot = new(Size);
        int loaded = 0, refused = 0;
        Gen.Select(Change.Array[1, 4], Gen.Int[0, 400]).Sample((changes, cut) =>
        {
            byte[] file = (byte[])Valid.Clone();
            Array.ForEach(changes, change => change(file));
            file = cut < 20 ? file[..^(cut * cut)] : file;
            boot.Memory.TryGetSpan(default, Size, out Span<byte> ram).Should().BeTrue();
            ram.Fill(Untouched);
            try
            {
                boot.Load(file);
                loaded++;
                ExpectUntouched(ram,
                [
                    .. LoadedRanges(file),
                    (MachineLayout.BootStart, MachineLayout.BootEnd - MachineLayout.BootStart),
                    (MachineLayout.AcpiStart, MachineLayout.RsdpEnd - MachineLayout.AcpiStart),
                    (MachineLayout.ResetVector, 16),
                ]);
            }
            catch (BootException)
            {
                refused++;
                ExpectUntouched(ram, []);
            }
        }, iter: 1000, threads: 1);
        loaded.Should().BeGreaterThan(100, "the mutations are not all fatal");
        refused.Should().BeGreaterThan(100);
    }

    private static IEnumerable<(ulong Start, ulong Size)> LoadedRanges(byte[] file)
    {
        int table = (int)BinaryPrimitives.ReadUInt64LittleEndian(file.AsSpan(32));
        int count = BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(56));
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> header = file.AsSpan(table + i * ElfBuilder.ProgramHeaderSize);
            if (BinaryPrimitives.ReadUInt32LittleEndian(header) == 1)
            {
                yield return (BinaryPrimitives.ReadUInt64LittleEndian(header[24..]), BinaryPrimitives.ReadUInt64LittleEndian(header[40..]));
            }
        }
    }

    private static void ExpectUntouched(ReadOnlySpan<byte> ram, IEnumerable<(ulong Start, ulong Size)> touched)
    {
        int position = 0;
        foreach ((ulong start, ulong size) in touched.Where(r => r.Size > 0).OrderBy(r => r.Start))
        {
            ram[position..(int)start].IndexOfAnyExcept(Untouched).Should().Be(-1);
            position = (int)(start + size);
        }

        ram[position..].IndexOfAnyExcept(Untouched).Should().Be(-1);
    }
}
