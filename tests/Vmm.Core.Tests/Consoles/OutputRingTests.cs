using CsCheck;
using Vmm.Core.Consoles;

namespace Vmm.Core.Tests.Consoles;

public sealed class OutputRingTests
{
    [Fact]
    public void Append_TellsWhenAConsumerHasToBeWoken()
    {
        OutputRing ring = new(8);
        ring.Append([], out _).Should().BeFalse();
        ring.Append("ab"u8, out _).Should().BeTrue();
        ring.Append("c"u8, out _).Should().BeFalse();
        byte[] chunk = new byte[8];
        ring.Peek(chunk, out long position).Should().Be(3);
        ring.Consume(position + 3);
        ring.Append("d"u8, out _).Should().BeTrue();
    }

    [Fact]
    public void Append_WhileAChunkIsOut_CountsWhatWasOverwrittenOnce()
    {
        OutputRing ring = new(4);
        ring.Append("abcd"u8, out _);
        byte[] chunk = new byte[2];
        ring.Peek(chunk, out long position).Should().Be(2);
        ring.Append("efg"u8, out _);
        ring.DroppedBytes.Should().Be(3, "a, b and c had to go");
        ring.Consume(position + 2);
        byte[] rest = new byte[8];
        ring.Peek(rest, out _).Should().Be(4);
        rest[..4].Should().Equal("defg"u8.ToArray());
    }

    [Fact]
    public void AnySequence_KeepsTheLastBytesInOrderAndCountsTheRest()
    {
        Gen.Select(Gen.Int[0, 3], Gen.Byte.Array[0, 40]).Array[0, 50].Sample(steps =>
        {
            OutputRing ring = new(16);
            List<byte> model = [];
            long dropped = 0;
            foreach ((int kind, byte[] bytes) in steps)
            {
                if (kind > 0)
                {
                    ring.Append(bytes, out int queued).Should().Be(model.Count == 0 && bytes.Length > 0);
                    queued.Should().Be(Math.Min(model.Count + bytes.Length, 16));
                    model.AddRange(bytes);
                    int excess = Math.Max(0, model.Count - 16);
                    model.RemoveRange(0, excess);
                    dropped += excess;
                    continue;
                }

                byte[] chunk = new byte[Math.Min(7, bytes.Length)];
                int count = ring.Peek(chunk, out long position);
                chunk.Take(count).Should().Equal(model.Take(chunk.Length));
                ring.Consume(position + count);
                model.RemoveRange(0, count);
            }

            ring.DroppedBytes.Should().Be(dropped);
        }, iter: 500, threads: 1);
    }
}
