using System.Text;
using System.Text.Json;
using Vmm.Core.Devices.Uart;
using Vmm.Core.Linux;
using Vmm.Core.State;
using Vmm.Migration.Live;
using Vmm.Migration.Stream;
using Vmm.Migration.Tests.Stream;

namespace Vmm.Migration.Tests.Live;

/// <summary>The two sides of the protocol against each other, and each against a peer that fails at every step.</summary>
public sealed class LocalMigrationTests : IDisposable
{
    /// <summary>Where time is to run out.</summary>
    private static readonly MigrationTimeouts s_short = new()
    {
        Verdict = TimeSpan.FromSeconds(1),
        Prepare = TimeSpan.FromSeconds(1),
        State = TimeSpan.FromSeconds(1),
        Switchover = TimeSpan.FromMilliseconds(200),
    };

    private static readonly MigrationTimeouts s_long = new()
    {
        Verdict = TimeSpan.FromSeconds(20),
        Prepare = TimeSpan.FromSeconds(20),
        State = TimeSpan.FromSeconds(20),
        Switchover = TimeSpan.FromSeconds(20),
    };

    private readonly FakeMachine _here = new();
    private readonly FakeMachine _there = new(empty: true);
    private readonly MessageChannel _near;
    private readonly MessageChannel _far;

    public LocalMigrationTests()
    {
        (MessageSocket near, MessageSocket far) = MessageSocket.CreatePair();
        (_near, _far) = (new MessageChannel(near), new MessageChannel(far));
    }

    public void Dispose()
    {
        _near.Dispose();
        _far.Dispose();
    }

    [Fact]
    public async Task Run_WithAGoodDestination_MovesTheMachine()
    {
        Task<MigrationTimes> destination = Task.Run(() => new IncomingMigration(_far, _there, s_long).Run());

        MigrationTimes times = Migrate(_here);

        (await destination).Should().Be(times);
        _there.Serial.Should().Equal(_here.Serial);
        (_here.Pauses, _here.Resumes, _there.Runs).Should().Be((1, 0, 1));
        long[] order = [times.Started, times.Accepted, times.Prepared, times.Paused, times.Saved, times.Received, times.Loaded, times.Applied, times.Running];
        order.Should().BeInAscendingOrder();
        times.Started.Should().BePositive();
    }

    [Fact]
    public async Task Ask_OfADestinationThatRefuses_HasAllReasonsAndNoPause()
    {
        FakeMachine there = new() { Reasons = ["net0: 4 queues, 2 can be", "net1: no such device"] };
        Task destination = Task.Run(() => new IncomingMigration(_far, there, s_long).Run());
        using OutgoingMigration migration = new(_near, _here, s_long);

        migration.Ask().Reasons.Should().Equal(there.Reasons);

        (await destination.Invoking(d => d).Should().ThrowAsync<MigrationException>()).Which.Reason.Should().Contain("net1: no such device");
        (_here.Pauses, there.Runs, there.IsPrepared).Should().Be((0, 0, false));
    }

    /// <summary>The peer's messages up to which it plays its part; then it closes, stays silent, fails, or talks nonsense.</summary>
    public static TheoryData<string, string> DestinationFailures => new(
        from step in (string[])[nameof(MessageType.Hello), nameof(MessageType.Resources), nameof(MessageType.State)]
        from failure in (string[])["closes", "is silent", "says failed", "sends the wrong message", "sends no message"]
        select (step, failure));

    [Theory]
    [MemberData(nameof(DestinationFailures))]
    public async Task Run_WhenTheDestinationFailsAfterAMessage_RunsOnInTheSource(string step, string failure)
    {
        MessageType after = Enum.Parse<MessageType>(step);
        Task destination = Task.Run(() =>
        {
            Play(after);
            Fail(failure);
        });

        MigrationException e = Invoking(() => Migrate(_here, failure == "is silent" ? s_short : s_long)).Should().Throw<MigrationException>().Which;

        e.Message.Should().MatchRegex(failure switch
        {
            "closes" => "the peer has closed the channel",
            "is silent" => "has not answered within (1000|200) ms",
            "says failed" => "the destination says: out of luck",
            "sends the wrong message" => "Hello came where .* is expected",
            _ => "what came is no message",
        });
        _here.Resumes.Should().Be(_here.Pauses);
        _here.Pauses.Should().Be(after == MessageType.State ? 1 : 0);
        await destination;
    }

    [Fact]
    public async Task Run_WhenTheResourcesDoNotFit_NamesTheSection()
    {
        FakeMachine there = new() { Resources = [new FixedSection<UartState>("ram", default)] };
        Task destination = Task.Run(() => new IncomingMigration(_far, there, s_long).Run());

        Invoking(() => Migrate(_here)).Should().Throw<MigrationException>().WithMessage("*the destination says: resources: ram: *");

        _here.Pauses.Should().Be(0);
        await destination.Invoking(d => d).Should().ThrowAsync<MigrationException>();
    }

    [Fact]
    public async Task Run_WhenTheStateDoesNotFit_RunsOnInTheSource()
    {
        FakeMachine there = new(empty: true) { StateName = "serial1" };
        Task destination = Task.Run(() => new IncomingMigration(_far, there, s_long).Run());

        Invoking(() => Migrate(_here)).Should().Throw<MigrationException>().WithMessage("*the destination says: state: serial1: *");

        (_here.Pauses, _here.Resumes, there.Runs).Should().Be((1, 1, 0));
        await destination.Invoking(d => d).Should().ThrowAsync<MigrationException>();
    }

    [Fact]
    public async Task Run_WhenTheDestinationTakesTheGuestAndDies_ReportsTheLoss()
    {
        Task destination = Task.Run(() =>
        {
            Baton baton = Play(MessageType.State);
            baton.TryTake().Should().BeTrue();
            _far.Dispose();
        });

        Invoking(() => Migrate(_here)).Should().Throw<MachineLostException>().WithMessage("*has taken the guest over*");

        (_here.Pauses, _here.Resumes).Should().Be((1, 0));
        await destination;
    }

    [Fact]
    public async Task Run_WhenTheDestinationIsLate_TheBatonDecides()
    {
        using ManualResetEventSlim withdrawn = new();
        Task<bool> destination = Task.Run(() =>
        {
            Baton baton = Play(MessageType.State);
            withdrawn.Wait();
            return baton.TryTake();
        });

        Invoking(() => Migrate(_here, s_short)).Should().Throw<MigrationException>();
        withdrawn.Set();

        (await destination).Should().BeFalse("the source runs the guest again");
        (_here.Pauses, _here.Resumes).Should().Be((1, 1));
    }

    [Fact]
    public async Task Run_WhenTheReportIsMalformed_HasSucceededAllTheSame()
    {
        Task destination = Task.Run(() =>
        {
            Play(MessageType.State).TryTake();
            _far.Send(MigrationStep.Running, MessageType.Running, "{"u8, [], new Deadline(s_long.State));
        });

        Migrate(_here).Running.Should().Be(0);

        (_here.Pauses, _here.Resumes).Should().Be((1, 0));
        await destination;
    }

    public static TheoryData<string> SourceSteps => new(nameof(MessageType.Hello), nameof(MessageType.Resources), nameof(MessageType.State));

    [Theory]
    [MemberData(nameof(SourceSteps))]
    public async Task Incoming_WhenTheSourceClosesBeforeAMessage_RunsNothing(string step)
    {
        MessageType before = Enum.Parse<MessageType>(step);
        Task source = Task.Run(() =>
        {
            using OutgoingMigration migration = new(_near, _here, s_long);
            if (before > MessageType.Hello)
            {
                migration.Ask();
            }

            if (before > MessageType.Resources)
            {
                StateBuffer resources = new();
                SectionWriter.Write(resources, RecordedStream.Machine, []);
                _near.Send(MigrationStep.Resources, MessageType.Resources, resources.Written, [], new Deadline(s_long.State));
                _near.Receive(MigrationStep.Prepared, new Deadline(s_long.State));
            }

            _near.Dispose();
        });

        Invoking(() => new IncomingMigration(_far, _there, s_long).Run()).Should().Throw<MigrationException>().WithMessage("*the peer has closed the channel");

        _there.Runs.Should().Be(0);
        await source;
    }

    [Fact]
    public async Task Incoming_WhenTheSourceDiesAfterTheState_RunsTheGuest()
    {
        Task source = Task.Run(() =>
        {
            Baton baton = Baton.Create();
            byte[] manifest = JsonSerializer.SerializeToUtf8Bytes(_here.Manifest, MigrationJson.Default.Manifest);
            _near.Send(MigrationStep.Hello, MessageType.Hello, manifest, [baton.File], new Deadline(s_long.Verdict));
            _near.Receive(MigrationStep.Verdict, new Deadline(s_long.Verdict));
            SendStream(MessageType.Resources, []);
            _near.Receive(MigrationStep.Prepared, new Deadline(s_long.Prepare));
            SendStream(MessageType.Snapshot, []);
            _near.Receive(MigrationStep.Snapshot, new Deadline(s_long.Prepare));
            SendStream(MessageType.Pausing, []);
            baton.TryOffer();
            SendStream(MessageType.State, [.. _here.State, new TimesSection()]);
            _near.Dispose();
        });

        new IncomingMigration(_far, _there, s_long).Run();

        _there.Runs.Should().Be(1);
        await source;
    }

    private MigrationTimes Migrate(FakeMachine machine, MigrationTimeouts? timeouts = null)
    {
        using OutgoingMigration migration = new(_near, machine, timeouts ?? s_long);
        return migration.Run(migration.Ask(), MonotonicClock.Now);
    }

    /// <summary>The destination's part up to the arrival of <paramref name="last"/>, which it does not answer.</summary>
    private Baton Play(MessageType last)
    {
        Baton baton = Baton.Adopt(_far.Receive(MigrationStep.Hello, new Deadline(s_long.Verdict)).Descriptors[0]);
        if (last > MessageType.Hello)
        {
            Answer(MessageType.Verdict, JsonSerializer.SerializeToUtf8Bytes(new Verdict("test", [], [1]), MigrationJson.Default.Verdict));
            _far.Receive(MigrationStep.Resources, new Deadline(s_long.Prepare));
        }

        if (last > MessageType.Resources)
        {
            Answer(MessageType.Prepared, default);
            _far.Receive(MigrationStep.Snapshot, new Deadline(s_long.Prepare)).Type.Should().Be(MessageType.Snapshot);
            Answer(MessageType.Ready, default);
            _far.Receive(MigrationStep.Pause, new Deadline(s_long.State)).Type.Should().Be(MessageType.Pausing);
            _far.Receive(MigrationStep.State, new Deadline(s_long.State)).Type.Should().Be(MessageType.State);
        }

        return baton;
    }

    private void Fail(string failure)
    {
        switch (failure)
        {
            case "closes":
                _far.Dispose();
                break;
            case "says failed":
                Answer(MessageType.Failed, Encoding.UTF8.GetBytes("out of luck"));
                break;
            case "sends the wrong message":
                Answer(MessageType.Hello, default);
                break;
            case "sends no message":
                Answer((MessageType)99, new byte[100]);
                break;
        }
    }

    private void Answer(MessageType type, ReadOnlySpan<byte> body) => _far.Send(MigrationStep.Running, type, body, [], new Deadline(s_long.State));

    private void SendStream(MessageType type, IReadOnlyList<IStateSection> sections)
    {
        StateBuffer buffer = new();
        SectionWriter.Write(buffer, RecordedStream.Machine, sections);
        _near.Send(MigrationStep.State, type, buffer.Written, [], new Deadline(s_long.State));
    }

    private static Action Invoking(Action action) => action;
}
