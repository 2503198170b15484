using System.Runtime.ExceptionServices;
using System.Text;
using System.Text.Json;
using Vmm.Core.Linux;
using Vmm.Core.State;
using Vmm.Migration.Stream;

namespace Vmm.Migration.Live;

/// <summary>The source's side of a local migration.</summary>
/// <remarks>
/// <code>
/// source                                                destination
///   hello: manifest, the baton                    -->     examines it; opens nothing yet
///                                                 &lt;--   verdict: accepted, or every reason why not
///   resources: RAM, the back ends that move       -->     builds the whole machine around them, warms up
///                                                 &lt;--   prepared
///   snapshot: the vCPUs, which run on             -->     sets what lasts of it
///                                                 &lt;--   ready
///   queues stop
///   pausing: the control plane, which stands      -->     reads it; looks out for the state without sleeping
///   pause: each vCPU reads its state on its way out
///   save, by the last one: the devices, the rest
///   baton: source -> offered
///   state                                         -->     reads all, checks all, sets all
///                                                         baton: offered -> destination; runs the guest
///                                                 &lt;--   running
///   lets go of everything
/// </code>
/// When anything goes wrong, on either side, and whoever dies or hangs: the source takes the baton back and the guest goes on, unless the
/// destination has it already; then the source never runs the guest again.
/// </remarks>
public sealed class OutgoingMigration(MessageChannel channel, IMigrationSource machine, MigrationTimeouts timeouts) : IDisposable
{
    /// <summary>A process that is killed closes its files before it has ended.</summary>
    private static readonly TimeSpan s_grace = TimeSpan.FromSeconds(2);

    private readonly StateBuffer _buffer = new();
    private readonly Baton _baton = Baton.Create();
    private readonly TimesSection _times = new();
    private readonly Dictionary<(string Name, int Instance), int> _versions = [];

    /// <summary>
    /// Whether the destination's process has ended, or ends within the time given. Only asked when it has taken the guest and is not heard of;
    /// where nothing is known of its process, it counts as lost then.
    /// </summary>
    public Func<TimeSpan, bool> HasEnded { get; init; } = _ => true;

    /// <summary>Asks for the verdict, and nothing more.</summary>
    /// <exception cref="MigrationException">There was no answer.</exception>
    public Verdict Ask()
    {
        byte[] manifest = JsonSerializer.SerializeToUtf8Bytes(machine.Manifest with { Timeouts = timeouts }, MigrationJson.Default.Manifest);
        channel.Send(MigrationStep.Hello, MessageType.Hello, manifest, [_baton.File], new Deadline(timeouts.Verdict));
        Message answer = Receive(MigrationStep.Verdict, MessageType.Verdict, new Deadline(timeouts.Verdict));
        return Parse(answer) ?? throw new MigrationException(MigrationStep.Verdict, "the answer is null");
    }

    /// <summary>Hands the machine over. When this returns, it runs in the destination, and never again here.</summary>
    /// <param name="verdict">The destination's acceptance.</param>
    /// <param name="started">When the command began, for the times.</param>
    /// <param name="earlier">How long the guest stood still on the way here, as part of the same command, in nanoseconds.</param>
    /// <exception cref="MigrationException">It did not come about; the guest runs here, and has been paused at most for the switch-over's time-out.</exception>
    /// <exception cref="MachineLostException">The destination took the guest and died.</exception>
    public MigrationTimes Run(Verdict verdict, long started, long earlier = 0)
    {
        if (verdict.Versions is not { } versions || versions.Count != machine.State.Count)
        {
            throw new MigrationException(MigrationStep.Verdict, $"it names {verdict.Versions?.Count ?? 0} versions for {machine.State.Count} sections");
        }

        _times.Times = new MigrationTimes { Started = started, Accepted = MonotonicClock.Now, EarlierDowntime = earlier };
        _buffer.Prefault();
        bool isPausing = false;
        try
        {
            Prepare(versions);
            IReadOnlyList<IStateSection> ahead = [.. machine.State.Where(section => section.GoesAhead)];
            IReadOnlyList<IStateSection> rest = [.. machine.State.Where(section => !section.GoesAhead), _times];
            isPausing = true;
            machine.PreparePause();
            Send(MigrationStep.Pause, MessageType.Pausing, ahead, new Deadline(timeouts.State));
            _times.Times.Prepared = MonotonicClock.Now;
            ExceptionDispatchInfo? failure = null;
            Deadline deadline = default;
            machine.Pause(then: () =>
            {
                deadline = new Deadline(timeouts.Switchover);
                failure = Catch(() => SendState(rest, deadline));
                machine.StandBack();
            });
            failure?.Throw();
            return ReceiveTimes(deadline);
        }
        catch (Exception) when (_baton.TryWithdraw())
        {
            machine.Keep();
            if (isPausing)
            {
                machine.Resume();
            }

            throw;
        }
    }

    /// <summary>Tells the destination why there will be nothing more, if it listens.</summary>
    public void Abort(string reason)
    {
        try
        {
            channel.Send(MigrationStep.Hello, MessageType.Failed, Encoding.UTF8.GetBytes(reason), [], new Deadline(TimeSpan.Zero));
        }
        catch (MigrationException)
        {
            // It does not.
        }
    }

    public void Dispose() => _baton.Dispose();

    /// <summary>What takes long, while the guest runs.</summary>
    /// <param name="versions">Of the sections of the state, as the destination wants them.</param>
    private void Prepare(IReadOnlyList<int> versions)
    {
        Send(MigrationStep.Resources, MessageType.Resources, machine.Resources, new Deadline(timeouts.Prepare));
        machine.EndSending();
        Receive(MigrationStep.Prepared, MessageType.Prepared, new Deadline(timeouts.Prepare));
        foreach ((IStateSection section, int version) in machine.State.Zip(versions))
        {
            _versions.Add((section.Name, section.Instance), version);
        }

        machine.TakeSnapshot();
        Send(MigrationStep.Snapshot, MessageType.Snapshot, machine.Snapshot, new Deadline(timeouts.Prepare));
        Receive(MigrationStep.Snapshot, MessageType.Ready, new Deadline(timeouts.Prepare));
    }

    private void SendState(IReadOnlyList<IStateSection> sections, Deadline deadline)
    {
        _times.Times.Paused = MonotonicClock.Now;
        Write(sections);

        // ORDER: on offer before the first byte goes out, so that a destination that has all of it can take it.
        _baton.TryOffer();
        channel.Send(MigrationStep.State, MessageType.State, _buffer.Written, _buffer.Descriptors, deadline);
    }

    private void Send(MigrationStep step, MessageType type, IReadOnlyList<IStateSection> sections, Deadline deadline)
    {
        Write(sections);
        channel.Send(step, type, _buffer.Written, _buffer.Descriptors, deadline);
    }

    /// <summary>As the destination reads them.</summary>
    private void Write(IReadOnlyList<IStateSection> sections)
    {
        _buffer.Clear();
        SectionWriter.Write(_buffer, machine.Manifest.Machine, sections, _versions);
    }

    private static ExceptionDispatchInfo? Catch(Action action)
    {
        try
        {
            action();
            return null;
        }
#pragma warning disable CA1031 // It is thrown on the thread that waits.
        catch (Exception e)
#pragma warning restore CA1031
        {
            return ExceptionDispatchInfo.Capture(e);
        }
    }

    /// <summary>Waits until the guest runs over there. Past the deadline the baton decides.</summary>
    private MigrationTimes ReceiveTimes(Deadline deadline)
    {
        try
        {
            return Times(Receive(MigrationStep.Running, MessageType.Running, deadline));
        }
        catch (MigrationException e) when (!_baton.TryWithdraw())
        {
            // The destination runs the guest. Whether its report comes or not makes no difference to that; its death does.
            return Outcome(e);
        }
    }

    private MigrationTimes Outcome(MigrationException late)
    {
        try
        {
            return Times(Receive(MigrationStep.Running, MessageType.Running, new Deadline(timeouts.State)));
        }
        catch (MigrationException) when (!HasEnded(s_grace))
        {
            // A closed channel, a damaged report, a destination that is stopped: the guest is there all the same, and lives.
            return _times.Times;
        }
        catch (MigrationException e)
        {
            throw new MachineLostException($"the destination has taken the guest over and has not been heard of since: {e.Reason} (before: {late.Reason})", e);
        }
    }

    /// <summary>What the destination says of its part; if that can't be read, it runs the guest all the same.</summary>
    private MigrationTimes Times(Message message)
    {
        try
        {
            return JsonSerializer.Deserialize(message.Body.Span, MigrationJson.Default.MigrationTimes);
        }
        catch (JsonException)
        {
            return _times.Times;
        }
    }

    private Message Receive(MigrationStep step, MessageType wanted, Deadline deadline)
    {
        Message message = channel.Receive(step, deadline);
        foreach (FileDescriptor surplus in message.Descriptors)
        {
            surplus.Dispose();
        }

        return message.Type == wanted ? message
            : message.Type == MessageType.Failed ? throw new MigrationException(step, $"the destination says: {Encoding.UTF8.GetString(message.Body.Span)}")
            : throw new MigrationException(step, $"{message.Type} came where {wanted} is expected");
    }

    private static Verdict? Parse(Message message)
    {
        try
        {
            return JsonSerializer.Deserialize(message.Body.Span, MigrationJson.Default.Verdict);
        }
        catch (JsonException e)
        {
            throw new MigrationException(MigrationStep.Verdict, $"the answer is malformed: {e.Message}", e);
        }
    }
}
