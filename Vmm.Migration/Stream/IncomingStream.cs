using System.Diagnostics;
using System.Text;
using Vmm.Core.Linux;
using Vmm.Core.State;
using Vmm.Migration.Channels;
using Vmm.Migration.Live;

namespace Vmm.Migration.Stream;

/// <summary>The destination's side of a migration as bytes; <see cref="OutgoingStream"/> has the sequence.</summary>
public sealed class IncomingStream(MigrationChannel channel, IStreamDestination machine, MigrationTimeouts timeouts, CancellationToken cancellation = default)
{
    /// <summary>Takes the machine over. When this returns, it runs here.</summary>
    /// <exception cref="MigrationException">It did not come about; nothing runs here, and nothing will.</exception>
    public Manifest Run()
    {
        MessageChannel? messages = channel.Socket is { } socket ? new MessageChannel(socket, cancellation) : null;
        Manifest manifest = Arrive(messages);
        machine.Run();
        Report(messages);
        return manifest;
    }

    /// <summary>All but the running. As long as this is not done, the guest does not run here, and the source may be told so.</summary>
    private Manifest Arrive(MessageChannel? messages)
    {
        try
        {
            using System.IO.Stream stream = channel.OpenStream(timeouts.Stall, cancellation);
            Manifest manifest = Read(stream);
            if (messages is null)
            {
                // A command whose output was cut off ends with an error, and may have said why.
                channel.Complete(timeouts.Stall);
                machine.Claim();
            }
            else
            {
                messages.Send(MigrationStep.Prepared, MessageType.Prepared, default, [], new Deadline(timeouts.State));
                WaitForCommit(messages);
            }

            return manifest;
        }
        catch (IOException e) when (e is not MigrationException)
        {
            Refuse(messages, e.Message);
            throw new MigrationException(MigrationStep.State, e.Message, e);
        }
        catch (MigrationException e)
        {
            Refuse(messages, e.Message);
            throw;
        }
    }

    private Manifest Read(System.IO.Stream stream)
    {
        try
        {
            return new MachineStreamReader(stream, machine).Read(untilEnd: !channel.IsBidirectional);
        }
        catch (StateException) when (channel.Socket is null && channel.FindFailure(timeouts.Stall) is { } failure)
        {
            throw failure;
        }
    }

    private void WaitForCommit(MessageChannel messages)
    {
        Message message = messages.Receive(MigrationStep.Running, new Deadline(timeouts.Stall));
        foreach (FileDescriptor surplus in message.Descriptors)
        {
            surplus.Dispose();
        }

        if (message.Type != MessageType.Commit)
        {
            throw new MigrationException(MigrationStep.Running, $"{message.Type} came where {MessageType.Commit} is expected");
        }
    }

    private void Report(MessageChannel? messages)
    {
        try
        {
            messages?.Send(MigrationStep.Running, MessageType.Running, default, [], new Deadline(timeouts.State));
        }
        catch (MigrationException)
        {
            // The source is gone. The guest runs here; that is all that matters.
        }
    }

    /// <summary>Says why, and takes what the source still sends, so that it gets to read the answer.</summary>
    private void Refuse(MessageChannel? messages, string reason)
    {
        if (messages is null)
        {
            return;
        }

        try
        {
            messages.Send(MigrationStep.State, MessageType.Failed, Encoding.UTF8.GetBytes(reason), [], new Deadline(TimeSpan.FromMilliseconds(100)));
            using System.IO.Stream stream = channel.OpenStream(TimeSpan.FromSeconds(1), cancellation);
            byte[] rest = new byte[64 << 10];
            long end = Stopwatch.GetTimestamp() + Stopwatch.Frequency;
            while (stream.Read(rest) > 0 && Stopwatch.GetTimestamp() < end)
            {
            }
        }
        catch (MigrationException)
        {
            // Nobody listens.
        }
    }
}
