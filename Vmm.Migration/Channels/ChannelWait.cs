using System.Globalization;
using Vmm.Core.Linux;
using Vmm.Migration.Live;

namespace Vmm.Migration.Channels;

/// <summary>Waits for a channel, not for ever.</summary>
internal sealed class ChannelWait(ByteDescriptor bytes, TimeSpan timeout, CancellationToken cancellation)
{
    /// <summary>How soon a cancellation is noticed.</summary>
    private const int SliceMilliseconds = 50;

    private Deadline _deadline = new(timeout);

    /// <summary>Something went through: the time begins anew.</summary>
    public void Restart() => _deadline = new Deadline(timeout);

    /// <summary>Returns when it is ready, or the peer has hung up.</summary>
    /// <exception cref="MigrationException">It was cancelled, or the time is up.</exception>
    public void For(short events, string what)
    {
        while (!bytes.Wait(events, Math.Min(_deadline.MillisecondsLeft, SliceMilliseconds)))
        {
            if (cancellation.IsCancellationRequested)
            {
                throw new MigrationException(MigrationStep.State, "it was cancelled");
            }

            if (_deadline.MillisecondsLeft == 0)
            {
                throw new MigrationException(MigrationStep.State, string.Create(CultureInfo.InvariantCulture, $"the peer {what} for {timeout.TotalMilliseconds} ms"));
            }
        }
    }
}
