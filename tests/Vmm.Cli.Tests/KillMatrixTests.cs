using System.Globalization;
using System.Text.Json;
using Tmds.Linux;
using Vmm.Migration.Live;

namespace Vmm.Cli.Tests;

/// <summary>
/// Either process of a live update is killed, is stopped, or finds its channel closed, at every message: when it has been sent and has not
/// arrived. Real processes, a real TAP, traffic throughout.
/// </summary>
public sealed class KillMatrixTests
{
    private static readonly MessageType[] s_steps =
        [MessageType.Hello, MessageType.Verdict, MessageType.Resources, MessageType.Prepared, MessageType.Snapshot, MessageType.Ready, MessageType.Pausing, MessageType.State, MessageType.Running];

    public KillMatrixTests() => Host.RequireNetwork();

    public static TheoryData<string> Steps => new(s_steps.Select(step => step.ToString()));

    /// <summary>Until the destination has the guest it makes no difference what becomes of it.</summary>
    [Theory]
    [MemberData(nameof(Steps))]
    public void Destination_Killed_LeavesTheGuestWithTheSourceUntilItHasTakenIt(string step)
    {
        bool taken = step == "Running";
        using UpdatedGuest guest = new();
        guest.SetTimeouts();
        guest.At(step, (update, message) =>
        {
            _ = LibC.kill(update.Destination, LibC.SIGKILL);
            return taken ? [] : [message];
        });

        JsonElement? reply = Update(guest);

        if (taken)
        {
            // It may have answered the client itself by then: the guest was there, and it says so.
            if (reply!.Value.TryGetProperty("return", out JsonElement answer))
            {
                answer.GetProperty("pid").GetInt32().Should().NotBe(guest.Source);
            }
            else
            {
                Error(reply.Value).Should().Contain("the destination has taken the guest over");
            }

            guest.Guest.Process.WaitForExit().Should().Be(ExitCode.HostError);
            guest.Guest.Process.Error.Should().Contain("the destination has taken the guest over");
            guest.ExpectNothingLeft();
            return;
        }

        Error(reply!.Value).Should().Contain("the peer has closed the channel");
        guest.ExpectRunBy(guest.Source, "failed");
        guest.Inhabitants.All.Should().Equal(guest.Source);
        guest.Update();
        guest.Quit();
        guest.Guest.Process.WaitForExit().Should().Be(0);
    }

    /// <summary>When all is done the first process only waits.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Afterwards_WhenAProcessIsKilled_TheMachineEnds(bool waiter)
    {
        using UpdatedGuest guest = new();
        guest.Update();

        _ = LibC.kill(waiter ? guest.Guest.Process.Id : guest.Source, LibC.SIGKILL);

        guest.Guest.Process.WaitForExit().Should().Be(ExitCode.SignalBase + LibC.SIGKILL);
        guest.ExpectNothingLeft();
        guest.Guest.Process.Error.Should().Contain(waiter ? "the process that waited for it was killed" : $"process {guest.Source}, which ran the machine, was killed by signal 9");
    }

    /// <summary>The client hears of an update no earlier than the process that is to wait then.</summary>
    [Fact]
    public void Afterwards_WhenTheSourceHasHeardLate_KillingItEndsTheMachine()
    {
        using UpdatedGuest guest = new();
        guest.At("Running", (_, message) =>
        {
            Thread.Sleep(300);
            return [message];
        });
        Update(guest)!.Value.TryGetProperty("return", out _).Should().BeTrue();

        _ = LibC.kill(guest.Guest.Process.Id, LibC.SIGKILL);

        guest.Guest.Process.WaitForExit().Should().Be(ExitCode.SignalBase + LibC.SIGKILL);
        guest.ExpectNothingLeft();
    }

    /// <summary>The process that waits is told all at once, when the oldest of three has ended, where the machine has been since; the second one lives yet.</summary>
    [Fact]
    public void Afterwards_WhenAnOldProcessTakesLongToEnd_TheMachineIsWaitedFor()
    {
        using UpdatedGuest guest = new();
        guest.Update();
        int first = guest.Source;
        int second = UpdateAndStop(first);
        int third = UpdateAndStop(second);

        _ = LibC.kill(first, LibC.SIGCONT);
        Wait.Until(() => !Inhabitants.Exists(first), () => $"the end of process {first}");
        int before = guest.Answered;
        Wait.Until(() => guest.Answered > before + 100, () => "the guest to run on");
        _ = LibC.kill(second, LibC.SIGCONT);

        guest.ExpectRunBy(third, "completed");
        guest.Quit();
        guest.Guest.Process.WaitForExit().Should().Be(0, guest.Guest.Process.Error);

        int UpdateAndStop(int source)
        {
            guest.At("Running", (_, message) =>
            {
                Stop(source);
                return [message];
            });
            Update(guest)!.Value.TryGetProperty("return", out _).Should().BeTrue();
            return guest.Destination;
        }
    }

    /// <summary>A stopped destination is given up, unless it has the guest: then it is waited for.</summary>
    [Theory]
    [MemberData(nameof(Steps))]
    public void Destination_Stopped_IsGivenUpUntilItHasTakenTheGuest(string step)
    {
        bool taken = step == "Running";
        using UpdatedGuest guest = new();
        SetTimeouts(guest, step);
        guest.At(step, (update, message) =>
        {
            Stop(guest.Destination);
            if (taken)
            {
                // Past the source's patience.
                Thread.Sleep(3500);
                _ = LibC.kill(guest.Destination, LibC.SIGCONT);
            }

            return [message];
        });

        JsonElement? reply = Update(guest);

        ExpectOutcome(guest, reply!.Value, taken ? guest.Destination : guest.Source);
    }

    [Theory]
    [MemberData(nameof(Steps))]
    public void Destination_WhoseChannelIsClosed_HasTheGuestOrEnds(string step)
    {
        bool taken = step == "Running";
        using UpdatedGuest guest = new();
        SetTimeouts(guest, step);
        guest.At(step, (update, message) =>
        {
            update.CloseDestination();
            return taken ? [] : [message];
        });

        JsonElement? reply = Update(guest);

        ExpectOutcome(guest, reply!.Value, taken ? guest.Destination : guest.Source);
    }

    [Theory]
    [MemberData(nameof(Steps))]
    public void Source_WhoseChannelIsClosed_RunsTheGuestUnlessTheDestinationHasIt(string step)
    {
        using UpdatedGuest guest = new();
        guest.SetTimeouts();
        guest.At(step, (update, message) =>
        {
            update.CloseSource();
            return step == "State" ? [] : [message];
        });

        JsonElement? reply = Update(guest);

        // After "Pausing" the state follows at once: it may have been out already.
        bool taken = step == "Running" || (step == "Pausing" && reply!.Value.TryGetProperty("return", out _));
        ExpectOutcome(guest, reply!.Value, taken ? guest.Destination : guest.Source);
    }

    /// <summary>With its state on the way the guest outlives the source.</summary>
    /// <param name="step">Of the protocol.</param>
    /// <param name="later">The source is not the process that the user started, but one that took the guest from it.</param>
    [Theory]
    [MemberData(nameof(SourceKills))]
    public void Source_Killed_LeavesTheGuestToTheDestinationFromTheStateOn(string step, bool later)
    {
        using UpdatedGuest guest = new();
        if (later)
        {
            guest.Update();
        }

        guest.SetTimeouts();
        guest.At(step, (update, message) =>
        {
            _ = LibC.kill(guest.Source, LibC.SIGKILL);
            Wait.Until(() => !guest.Inhabitants.All.Contains(guest.Source), () => "the source to end");
            return [message];
        });

        guest.Begin();
        Wait.Until(() => guest.Destination != 0 && !guest.Inhabitants.All.Contains(guest.Source), () => "the source to end");

        if (!HasTaken(guest, step))
        {
            guest.Guest.Process.WaitForExit().Should().Be(ExitCode.SignalBase + LibC.SIGKILL);
            guest.ExpectNothingLeft();
            return;
        }

        guest.Peer.ReadReply().GetProperty("return").GetProperty("pid").GetInt32().Should().Be(guest.Destination);
        guest.ExpectRunBy(guest.Destination, "completed");
        guest.Quit();
        guest.Guest.Process.WaitForExit().Should().Be(later ? 0 : ExitCode.SignalBase + LibC.SIGKILL);
    }

    public static TheoryData<string, bool> SourceKills => new(from later in (bool[])[false, true] from step in s_steps select (step.ToString(), later));

    /// <summary>A destination without a source gives up, unless it has all that it needs.</summary>
    [Theory]
    [MemberData(nameof(Steps))]
    public void Source_Stopped_FindsTheGuestWhereItBelongsWhenItWakes(string step)
    {
        using UpdatedGuest guest = new();
        guest.SetTimeouts(prepare: 3000);
        guest.At(step, (update, message) =>
        {
            Stop(guest.Source);
            return [message];
        });
        guest.Begin();
        Wait.Until(() => guest.Destination != 0 && Inhabitants.IsStopped(guest.Source), () => "the source to be stopped");

        bool gone = HasTaken(guest, step);
        _ = LibC.kill(guest.Source, LibC.SIGCONT);

        ExpectOutcome(guest, guest.Peer.ReadReply(), gone ? guest.Destination : guest.Source);
    }

    /// <summary>It does not see the source's SIGKILL, being no child of its, and gets the state when the source has gone back.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Destination_ThatWakesWhenTheSourceHasGoneBack_EndsWithoutRunningTheGuest(bool stopped)
    {
        using UpdatedGuest guest = new(behind: true);
        guest.SetTimeouts(downtime: 300);
        using ManualResetEventSlim back = new();
        guest.At("State", (update, message) =>
        {
            if (stopped)
            {
                Stop(guest.Destination);
            }
            else
            {
                back.Wait();
            }

            return [message];
        });

        JsonElement? reply = Update(guest);
        Error(reply!.Value).Should().Contain("has not answered within 300 ms");
        guest.Inhabitants.All.Should().Contain(guest.Destination);
        back.Set();
        _ = LibC.kill(guest.Destination, LibC.SIGCONT);

        Wait.Until(() => !guest.Inhabitants.All.Contains(guest.Destination), () => "the destination to end");
        ExpectOutcome(guest, reply.Value, guest.Source);
    }

    /// <summary>An update that was given up in the pause leaves nothing behind in the source's process, and does not stand in the way of later ones.</summary>
    [Fact]
    public void Updates_AfterOneThatFailedInThePause_Succeed()
    {
        using UpdatedGuest guest = new();
        guest.SetTimeouts(downtime: 300);
        int files = OpenFiles();
        guest.At("State", (_, message) =>
        {
            Stop(guest.Destination);
            return [message];
        });
        Error(Update(guest)!.Value).Should().Contain("has not answered within 300 ms");
        Wait.Until(() => guest.Inhabitants.All.SequenceEqual([guest.Source]), () => "the destination to end");
        OpenFiles().Should().Be(files);

        guest.SetTimeouts();
        guest.Update();
        guest.Update();

        guest.ExpectRunBy(guest.Source, "completed");
        guest.Quit();
        guest.Guest.Process.WaitForExit().Should().Be(0, guest.Guest.Process.Error);

        int OpenFiles() => Directory.GetFiles(string.Create(CultureInfo.InvariantCulture, $"/proc/{guest.Source}/fd")).Length;
    }

    /// <summary>What becomes of a guest whose source was stopped or killed at that step: true when the destination runs it, false when that has ended.</summary>
    private static bool HasTaken(UpdatedGuest guest, string step)
    {
        int before = guest.Answered;
        bool hasTaken = false;
        Wait.Until(() => (hasTaken = guest.Answered > before + 100) || !guest.Inhabitants.All.Contains(guest.Destination), () => "the destination to run the guest or to end");
        if (step != "Pausing")
        {
            // After that message the state follows at once: it may have been out already.
            hasTaken.Should().Be(step is "State" or "Running");
        }

        return hasTaken;
    }

    private static void ExpectOutcome(UpdatedGuest guest, JsonElement reply, int runner)
    {
        if (runner == guest.Source)
        {
            Error(reply).Should().NotBeEmpty();
            guest.ExpectRunBy(runner, "failed");
            guest.Inhabitants.All.Should().Equal(runner);
        }
        else
        {
            reply.TryGetProperty("return", out JsonElement result).Should().BeTrue(reply.GetRawText());
            result.GetProperty("pid").GetInt32().Should().Be(runner);
            guest.ExpectRunBy(runner, "completed");
        }

        guest.Quit();
        guest.Guest.Process.WaitForExit().Should().Be(0, guest.Guest.Process.Error);
    }

    /// <summary>Short where time is to run out, long where it is not.</summary>
    private static void SetTimeouts(UpdatedGuest guest, string step)
        => guest.SetTimeouts(verdict: step == "Hello" ? 1500 : 20_000, prepare: step is "Verdict" or "Resources" ? 2000 : step is "Prepared" or "Snapshot" ? 5000 : 20_000, state: 1000, downtime: step == "Running" ? 1500 : 300);

    private static JsonElement? Update(UpdatedGuest guest)
    {
        guest.Begin();
        return guest.Peer.ReadReply();
    }

    private static void Stop(int process)
    {
        _ = LibC.kill(process, LibC.SIGSTOP);
        Wait.Until(() => Inhabitants.IsStopped(process) || !Inhabitants.Exists(process), () => $"{process} to be stopped");
    }

    private static string Error(JsonElement reply)
        => reply.TryGetProperty("error", out JsonElement error) ? error.GetProperty("desc").GetString()! : throw new InvalidOperationException(reply.GetRawText());
}
