using System.Buffers.Binary;

namespace Vmm.DemoGuest.Tests;

public sealed class DemoGuestGapsTests
{
    [Fact]
    public void TryParse_AnswerWithTwoGaps_ReadsBoth()
    {
        byte[] answer = Answer();
        BinaryPrimitives.WriteUInt64LittleEndian(answer.AsSpan(8), 29);
        BinaryPrimitives.WriteUInt64LittleEndian(answer.AsSpan(16), 1000);
        BinaryPrimitives.WriteUInt64LittleEndian(answer.AsSpan(24), 300);
        BinaryPrimitives.WriteUInt64LittleEndian(answer.AsSpan(16 + (26 * 16)), 500);
        BinaryPrimitives.WriteUInt64LittleEndian(answer.AsSpan(24 + (26 * 16)), 200);

        DemoGuestGaps gaps = DemoGuestGaps.TryParse(answer)!;

        gaps.Count.Should().Be(29);
        gaps.Latest.Should().Equal((1000, 300), (500, 200));
    }

    [Theory]
    [InlineData(0)] // magic
    [InlineData(4)] // version
    [InlineData(6)] // length
    public void TryParse_OtherMagicVersionOrLength_IsNull(int offset)
    {
        byte[] answer = Answer();
        answer[offset] ^= 1;
        DemoGuestGaps.TryParse(answer).Should().BeNull();
    }

    [Fact]
    public void TryParse_TruncatedAnswer_IsNull() => DemoGuestGaps.TryParse(Answer().AsSpan(0, 447)).Should().BeNull();

    private static byte[] Answer()
    {
        byte[] answer = new byte[448];
        "DGAP"u8.CopyTo(answer);
        answer[4] = 1;
        BinaryPrimitives.WriteUInt16LittleEndian(answer.AsSpan(6), 448);
        return answer;
    }
}
