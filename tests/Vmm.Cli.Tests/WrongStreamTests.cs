namespace Vmm.Cli.Tests;

/// <summary>
/// Messages of a live update that come changed, cut, twice or in another order: refused by name, and the guest runs on in the source.
/// <c>DamagedMessageTests</c> has the same for every offset; here are real processes under a real guest.
/// </summary>
public sealed class WrongStreamTests
{
    private const int Parts = 4;

    /// <summary>A byte or two of every field.</summary>
    private static readonly int[] s_headerOffsets = [0, 3, 5, 7, 8, 11, 12, 15];

    public WrongStreamTests() => Host.RequireNetwork();

    [Theory]
    [InlineData("Resources")]
    [InlineData("Snapshot")]
    [InlineData("Pausing")]
    [InlineData("State")]
    public void Message_WithAByteChanged_IsRefusedByName(string type)
    {
        using UpdatedGuest guest = new();
        foreach (int sample in (int[])[.. s_headerOffsets, .. Enumerable.Range(PassingMessage.HeaderSize, Parts)])
        {
            if (sample is >= 8 and < 12)
            {
                // A length that is too great by little: what is missing is waited for.
                guest.SetTimeouts(prepare: type is "Resources" or "Snapshot" ? 2000 : 20_000, downtime: 300);
            }
            else
            {
                guest.SetTimeouts();
            }

            string reason = guest.UpdateWrongly(type, message => message.Flip(Offset(message, sample)));

            reason.Should().MatchRegex(sample switch
            {
                < 6 => "what came is no message: magic 0x[0-9a-f]{8}, type [0-9]+",
                < 8 => "descriptors",
                < 12 => "is longer than|have CRC|has not answered",
                _ => "the message's bytes have CRC 0x[0-9a-f]{8}, its header says 0x",
            }, "sample {0} of {1}", sample, type);
        }

        Finish(guest);
    }

    [Theory]
    [InlineData("Resources")]
    [InlineData("Snapshot")]
    [InlineData("Pausing")]
    [InlineData("State")]
    public void Message_CutWithAHeaderThatFits_IsRefusedByName(string type)
    {
        using UpdatedGuest guest = new();
        string step = type == "Pausing" ? "pause" : type.ToLowerInvariant();
        for (int sample = 0; sample < Parts; sample++)
        {
            string reason = guest.UpdateWrongly(type, message =>
            {
                message.Body = message.Body[..(message.Body.Length * sample / Parts)];
                message.Correct();
            });

            reason.Should().MatchRegex($"the (destination|peer) says: {step}: .+: .+", "{0} quarters were left", sample);
        }

        guest.UpdateWrongly(type, message =>
        {
            message.Body = [.. message.Body, 0];
            message.Correct();
        }).Should().Contain($"{step}: stream: 1 bytes follow its end");
        Finish(guest);
    }

    [Fact]
    public void Message_CutWithoutAHeaderThatFits_IsWaitedForUntilTimeIsUp()
    {
        using UpdatedGuest guest = new();
        guest.SetTimeouts(downtime: 300);

        guest.UpdateWrongly("State", message => message.Body = message.Body[..^1]).Should().Contain("the peer has not answered within 300 ms");

        Finish(guest);
    }

    /// <summary>Each with a header that fits: it is the stream itself that is wrong.</summary>
    [Fact]
    public void Stream_WithAnotherBeginning_IsRefusedByName()
    {
        using UpdatedGuest guest = new();
        foreach ((int offset, string reason) in ((int, string)[])[(0, "begins with 0x"), (7, "of the format"), (8, "(Configuration) is expected"), (11, "a machine name of"), (13, "the stream is of a machine of type")])
        {
            guest.UpdateWrongly("State", message =>
            {
                message.Flip(PassingMessage.HeaderSize + offset);
                message.Correct();
            }).Should().Contain(reason);
        }

        Finish(guest);
    }

    [Fact]
    public void Messages_TwiceOrInAnotherPlace_AreRefusedByType()
    {
        using UpdatedGuest guest = new();
        Twice("Hello").Should().Contain("Hello came where Resources is expected");
        Twice("Resources").Should().Contain("Resources came where Snapshot is expected");
        Twice("Snapshot").Should().Contain("Snapshot came where Pausing is expected");
        Twice("Pausing").Should().Contain("Pausing came where State is expected");
        Relabelled("Resources", 5).Should().Contain("State came where Resources is expected");
        Relabelled("State", 3).Should().Contain("Resources came where State is expected");
        Relabelled("Verdict", 4).Should().Contain("Prepared came where Verdict is expected");
        Relabelled("Prepared", 6).Should().Contain("Running came where Prepared is expected");
        Relabelled("Ready", 4).Should().Contain("Prepared came where Ready is expected");
        Finish(guest);

        string Twice(string type) => guest.UpdateWrongly(type, message => [message, message]);

        string Relabelled(string type, byte other) => guest.UpdateWrongly(type, message => message.Header[5] = other);
    }

    /// <summary>The guest is there already: no damage to the report changes that.</summary>
    [Fact]
    public void Report_Damaged_IsNoFailure()
    {
        using UpdatedGuest guest = new();
        guest.SetTimeouts(state: 500);
        guest.At("Running", (_, message) =>
        {
            message.Flip(PassingMessage.HeaderSize);
            return [message];
        });
        guest.Begin();

        guest.Peer.ReadReply().GetProperty("return").GetProperty("pid").GetInt32().Should().Be(guest.Destination);

        guest.ExpectRunBy(guest.Destination, "completed");
        guest.Quit();
        guest.Guest.Process.WaitForExit().Should().Be(0);
    }

    private static int Offset(PassingMessage message, int sample) => sample < PassingMessage.HeaderSize
        ? sample
        : PassingMessage.HeaderSize + ((sample - PassingMessage.HeaderSize) * (message.Body.Length - 1) / (Parts - 1));

    private static void Finish(UpdatedGuest guest)
    {
        guest.ExpectRunBy(guest.Source, "failed");
        guest.SetTimeouts();
        guest.Update();
        guest.Quit();
    }
}
