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
            MigrationTimes times = SwitchOver(baton);
            machine.Settle();
            Report(times);
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
        Message message = Receive(MigrationStep.Resources, MessageType.Resources, _timeouts.Prepare);
        try
        {
            IReadOnlyList<IStateSection> resources = machine.Resources;
            Load(message, resources);
            foreach (IStateSection section in resources)
            {
                section.Apply();
            }
        }
        catch (StateException e)
        {
            Close(message.Descriptors);
            throw new MigrationException(MigrationStep.Resources, e.Message, e);
        }
    }

    private MigrationTimes SwitchOver(Baton baton)
    {
        IReadOnlyList<IStateSection> sections = [.. machine.State, _times];
        Message message = Receive(MigrationStep.State, MessageType.State, _timeouts.Prepare);
        long received = MonotonicClock.Now;
        machine.Alert();
        try
        {
            Load(message, sections);
            long loaded = MonotonicClock.Now;
            foreach (IStateSection section in sections)
            {
                section.Apply();
            }

            long applied = MonotonicClock.Now;
            if (!baton.TryTake())
            {
                throw new MigrationException(MigrationStep.Running, "the source has gone back: it runs the guest");
            }

            machine.Run();
            return _times.Times with { Received = received, Loaded = loaded, Applied = applied, Running = MonotonicClock.Now, StateBytes = message.Body.Length };
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
