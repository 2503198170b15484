using System.Text;
using System.Text.Json;
using Vmm.Core.Linux;
using Vmm.Core.State;
using Vmm.Migration.Stream;

namespace Vmm.Migration.Live;

/// <summary>The destination's side of a local migration; <see cref="OutgoingMigration"/> has the sequence.</summary>
/// <param name="channel">To the source.</param>
/// <param name="machine">The machine that is to be.</param>
/// <param name="timeouts">Until the source's come with its manifest.</param>
public sealed class IncomingMigration(MessageChannel channel, IMigrationDestination machine, MigrationTimeouts timeouts)
{
    /// <summary>How long the state is looked out for before it is waited for asleep, as being woken takes longer than the pause should.</summary>
    private static readonly TimeSpan s_lookout = TimeSpan.FromMilliseconds(1);

    private readonly TimesSection _times = new();
    private Manifest? _manifest;
    private MigrationTimeouts _timeouts = timeouts;

    /// <summary>Takes the machine over. When this returns, it runs here, and these are the times of all parts.</summary>
    /// <exception cref="MigrationException">It did not come about; nothing runs here, and nothing will.</exception>
    public MigrationTimes Run()
    {
        try
        {
            using Baton baton = ReceiveHello();
            ReceiveResources();
            try
            {
                machine.Prepare();
            }
            catch (Exception e) when (e is not MigrationException)
            {
                throw new MigrationException(MigrationStep.Prepared, e.Message, e);
            }

            channel.Send(MigrationStep.Prepared, MessageType.Prepared, default, [], new Deadline(_timeouts.State));
            ReceiveSnapshot();
            MigrationTimes times = SwitchOver(baton);
            machine.Settle();
            Report(times);
            machine.Relax();
            return times;
        }
        catch (MigrationException e)
        {
            Tell(e.Message);
            throw;
        }
    }

    private Baton ReceiveHello()
    {
        Message hello = Receive(MigrationStep.Hello, MessageType.Hello, _timeouts.Verdict);
        bool carriesDescriptors = hello.Descriptors.Count == 1;
        Baton? baton = null;
        try
        {
            _manifest = Parse(hello);
            _timeouts = _manifest.Timeouts;
            Verdict verdict = machine.Examine(_manifest, carriesDescriptors);
            baton = carriesDescriptors ? Adopt(hello.Descriptors[0]) : null;
            channel.Send(MigrationStep.Verdict, MessageType.Verdict, JsonSerializer.SerializeToUtf8Bytes(verdict, MigrationJson.Default.Verdict), [], new Deadline(_timeouts.Verdict));
            if (!verdict.IsAccepted)
            {
                throw new MigrationException(MigrationStep.Verdict, $"refused: {string.Join("; ", verdict.Reasons)}");
            }

            return baton ?? throw new MigrationException(MigrationStep.Hello, "the channel does not carry descriptors");
        }
        catch
        {
            baton?.Dispose();
            throw;
        }
        finally
        {
            Close(hello.Descriptors.Skip(baton is null ? 0 : 1));
        }
    }

    private void ReceiveResources()
    {
        ReceiveSections(MigrationStep.Resources, MessageType.Resources, machine.Resources);
        Apply(machine.Resources);
    }

    private void ReceiveSnapshot()
    {
        IReadOnlyList<IStateSection> snapshot = machine.Snapshot;
        ReceiveSections(MigrationStep.Snapshot, MessageType.Snapshot, snapshot);
        try
        {
            Apply(snapshot);
        }
        catch (Exception e)
        {
            throw new MigrationException(MigrationStep.Snapshot, e.Message, e);
        }

        channel.Send(MigrationStep.Snapshot, MessageType.Ready, default, [], new Deadline(_timeouts.State));
    }

    /// <summary>Loads them; how many bytes they were.</summary>
    private int ReceiveSections(MigrationStep step, MessageType type, IReadOnlyList<IStateSection> sections)
    {
        Message message = Receive(step, type, _timeouts.Prepare);
        try
        {
            Load(message, sections);
            return message.Body.Length;
        }
        catch (StateException e)
        {
            Close(message.Descriptors);
            throw new MigrationException(step, e.Message, e);
        }
    }

    private static void Apply(IReadOnlyList<IStateSection> sections)
    {
        foreach (IStateSection section in sections)
        {
            section.Apply();
        }
    }

    private MigrationTimes SwitchOver(Baton baton)
    {
        IReadOnlyList<IStateSection> ahead = [.. machine.State.Where(section => section.GoesAhead)];
        IReadOnlyList<IStateSection> rest = [.. machine.State.Where(section => !section.GoesAhead), _times];
        int aheadBytes = ReceiveSections(MigrationStep.Pause, MessageType.Pausing, ahead);
        machine.Expect();
        channel.LookOut(new Moment(s_lookout));
        Message message = Receive(MigrationStep.State, MessageType.State, _timeouts.Prepare);
        long received = MonotonicClock.Now;
        machine.Alert();
        try
        {
            Load(message, rest);
            long loaded = MonotonicClock.Now;
            Apply(rest);
            Apply(ahead);

            long applied = MonotonicClock.Now;
            if (!baton.TryTake())
            {
                throw new MigrationException(MigrationStep.Running, "the source has gone back: it runs the guest");
            }

            machine.Run();
            return _times.Times with { Received = received, Loaded = loaded, Applied = applied, Running = MonotonicClock.Now, StateBytes = aheadBytes + message.Body.Length };
        }
        catch (Exception e) when (baton.Owner != BatonOwner.Destination && e is not MigrationException)
        {
            Close(message.Descriptors);
            throw new MigrationException(MigrationStep.State, e.Message, e);
        }
    }

    private void Load(Message message, IReadOnlyList<IStateSection> sections)
    {
        StateInput input = new(message.Body.Span, message.Descriptors);
        SectionReader.Load(ref input, _manifest!.Machine, sections);
        if (input.Left > 0)
        {
            throw new StateException("stream", $"{input.Left} bytes follow its end");
        }
    }

    private void Report(MigrationTimes times)
    {
        try
        {
            channel.Send(MigrationStep.Running, MessageType.Running, JsonSerializer.SerializeToUtf8Bytes(times, MigrationJson.Default.MigrationTimes), [], new Deadline(_timeouts.State));
        }
        catch (MigrationException)
        {
            // The source is gone. The guest runs here; that is all that matters.
        }
    }

    private void Tell(string reason)
    {
        try
        {
            channel.Send(MigrationStep.Running, MessageType.Failed, Encoding.UTF8.GetBytes(reason), [], new Deadline(TimeSpan.FromMilliseconds(100)));
        }
        catch (MigrationException)
        {
            // Nobody listens.
        }
    }

    private Message Receive(MigrationStep step, MessageType wanted, TimeSpan timeout)
    {
        Message message = channel.Receive(step, new Deadline(timeout));
        if (message.Type == wanted)
        {
            return message;
        }

        Close(message.Descriptors);
        throw message.Type == MessageType.Failed
            ? new MigrationException(step, $"the source says: {Encoding.UTF8.GetString(message.Body.Span)}")
            : new MigrationException(step, $"{message.Type} came where {wanted} is expected");
    }

    private static Manifest Parse(Message hello)
    {
        try
        {
            Manifest manifest = JsonSerializer.Deserialize(hello.Body.Span, MigrationJson.Default.Manifest)
                ?? throw new MigrationException(MigrationStep.Hello, "the manifest is null");
            return manifest.Protocol != Manifest.CurrentProtocol
                ? throw new MigrationException(MigrationStep.Hello, $"the source speaks version {manifest.Protocol} of the protocol, this program {Manifest.CurrentProtocol}")
                : manifest.Timeouts.FindWrong() is { } wrong ? throw new MigrationException(MigrationStep.Hello, $"the manifest is wrong: {wrong}")
                : manifest;
        }
        catch (JsonException e)
        {
            throw new MigrationException(MigrationStep.Hello, $"the manifest is malformed: {e.Message}", e);
        }
    }

    private static Baton Adopt(FileDescriptor file)
    {
        try
        {
            return Baton.Adopt(file);
        }
        catch (LinuxException e)
        {
            throw new MigrationException(MigrationStep.Hello, e.Message, e);
        }
    }

    private static void Close(IEnumerable<FileDescriptor> files)
    {
        foreach (FileDescriptor file in files)
        {
            file.Dispose();
        }
    }
}
