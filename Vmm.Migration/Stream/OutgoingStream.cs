using System.Text;
using Vmm.Core.Linux;
using Vmm.Migration.Channels;
using Vmm.Migration.Live;

namespace Vmm.Migration.Stream;

/// <summary>The source's side of a migration as bytes: the guest is paused, and everything goes through the channel.</summary>
/// <remarks>
/// <code>
/// source                                       destination
///   pause
///   stream                        -->            examines the manifest, builds the machine, reads RAM and state, sets all
///                                 &lt;--            prepared                                both ways only
///   commit                        -->            runs the guest
///                                 &lt;--            running
/// </code>
/// Before the commit the source can always go back; after it, it never runs the guest again. A channel that goes one way ends with the
/// stream: a file is renamed to its name, a command has to end with exit code 0.
/// </remarks>
public sealed class OutgoingStream(MigrationChannel channel, IStreamSource machine, MigrationTimeouts timeouts, CancellationToken cancellation = default)
{
    private const string Says = "the destination says";

    /// <summary>Writes the machine. When this returns, it is not run here any more: it runs in the destination, or is whole where the channel leads.</summary>
    /// <returns>The bytes that went through.</returns>
    /// <exception cref="IOException">It did not come about; the guest goes on here.</exception>
    /// <exception cref="MachineLostException">The destination was told to run the guest and did not report; it may run there.</exception>
    public long Run()
    {
        machine.Pause();
        try
        {
            long size = Write();
            if (channel.Socket is { } socket)
            {
                HandOver(new MessageChannel(socket, cancellation));
            }
            else
            {
                channel.Complete(timeouts.Stall);
            }

            return size;
        }
        catch (Exception e) when (e is not MachineLostException)
        {
            machine.Resume();
            throw;
        }
    }

    /// <summary>The destination does not run the guest: it never says so after it does.</summary>
    private static bool IsRefusal(MigrationException e) => e.Reason.StartsWith(Says, StringComparison.Ordinal);

    private long Write()
    {
        try
        {
            using System.IO.Stream stream = channel.OpenStream(timeouts.Stall, cancellation);
            return MachineStreamWriter.Write(stream, machine);
        }
        catch (MigrationException e) when (channel.Socket is { } socket && !cancellation.IsCancellationRequested)
        {
            throw Explain(new MessageChannel(socket, cancellation), e);
        }
        catch (MigrationException) when (channel.Socket is null && !cancellation.IsCancellationRequested && channel.FindFailure(timeouts.Stall) is { } failure)
        {
            throw failure;
        }
    }

    private void HandOver(MessageChannel messages)
    {
        Receive(messages, MigrationStep.Prepared, MessageType.Prepared);

        // When this fails, the destination has at most a part of it, and won't run the guest.
        messages.Send(MigrationStep.Running, MessageType.Commit, default, [], new Deadline(timeouts.State));
        try
        {
            Receive(messages, MigrationStep.Running, MessageType.Running);
        }
        catch (MigrationException e) when (!IsRefusal(e))
        {
            throw new MachineLostException($"the destination was told to run the guest and did not report that it does: {e.Reason}", e);
        }
    }

    private void Receive(MessageChannel messages, MigrationStep step, MessageType wanted)
    {
        Message message = messages.Receive(step, new Deadline(timeouts.Stall));
        foreach (FileDescriptor surplus in message.Descriptors)
        {
            surplus.Dispose();
        }

        if (message.Type != wanted)
        {
            throw message.Type == MessageType.Failed
                ? new MigrationException(step, $"{Says}: {Encoding.UTF8.GetString(message.Body.Span)}")
                : new MigrationException(step, $"{message.Type} came where {wanted} is expected");
        }
    }

    /// <summary>The destination may have said why it does not want the rest.</summary>
    private MigrationException Explain(MessageChannel messages, MigrationException broken)
    {
        try
        {
            Receive(messages, MigrationStep.State, MessageType.Prepared);
            return broken;
        }
        catch (MigrationException e) when (IsRefusal(e))
        {
            return e;
        }
        catch (MigrationException)
        {
            return broken;
        }
    }
}
