using System.Buffers.Binary;

namespace Vmm.DemoGuest.Tests;

public sealed class DemoGuestStatusTests
{
    [Fact]
    public void TryParse_AnswerWithDistinctFields_ReadsEachFromItsPlace()
    {
        byte[] answer = Answer();
        for (int i = 0; i < 21; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(answer.AsSpan(8 + (8 * i)), 100 + (ulong)i);
        }
        BinaryPrimitives.WriteUInt16LittleEndian(answer.AsSpan(176), 3);
        BinaryPrimitives.WriteUInt16LittleEndian(answer.AsSpan(178), 4);
        BinaryPrimitives.WriteUInt32LittleEndian(answer.AsSpan(180), 1);
        for (int i = 0; i < 16; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(answer.AsSpan(184 + (8 * i)), 200 + (ulong)i);
            BinaryPrimitives.WriteUInt64LittleEndian(answer.AsSpan(312 + (8 * i)), 300 + (ulong)i);
        }

        BinaryPrimitives.WriteUInt64LittleEndian(answer.AsSpan(440), 400);

        DemoGuestStatus status = DemoGuestStatus.TryParse(answer)!;

        ulong[] fields =
        [
            status.UptimeTicks, status.LongestGapTicks, status.Iterations, status.Interrupts, status.ReceivedFrames, status.ReceivedBytes,
            status.SentFrames, status.SentBytes, status.ArpReplies, status.IcmpEchoes, status.UdpEchoes, status.TcpMirrored,
            status.FragmentsMirrored, status.RawEchoes, status.StatusRequests, status.Dropped, status.CheckPasses, status.CheckErrors,
            status.CheckFirstBadAddress, status.CheckSize, status.Features,
        ];
        fields.Should().Equal(Enumerable.Range(100, 21).Select(i => (ulong)i));
        status.InterfaceIndex.Should().Be(3);
        status.QueuePairs.Should().Be(4);
        status.IsPolling.Should().BeTrue();
        status.PairReceived.Should().Equal(Enumerable.Range(200, 16).Select(i => (ulong)i));
        status.ClockErrors.Should().Be(400);
        status.PairSent.Should().Equal(Enumerable.Range(300, 16).Select(i => (ulong)i));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(447)]
    public void TryParse_TruncatedAnswer_IsNull(int length) => DemoGuestStatus.TryParse(Answer().AsSpan(0, length)).Should().BeNull();

    [Theory]
    [InlineData(0)] // magic
    [InlineData(4)] // version
    [InlineData(6)] // length
    public void TryParse_OtherMagicVersionOrLength_IsNull(int offset)
    {
        byte[] answer = Answer();
        answer[offset] ^= 1;
        DemoGuestStatus.TryParse(answer).Should().BeNull();
    }

    private static byte[] Answer()
    {
        byte[] answer = new byte[DemoGuestStatus.Size];
        "DGST"u8.CopyTo(answer);
        answer[4] = 2;
        BinaryPrimitives.WriteUInt16LittleEndian(answer.AsSpan(6), 448);
        return answer;
    }
}
