using Microsoft.Extensions.Logging;
using Vmm.Cli.Qmp;
using Vmm.Migration.Channels;
using Vmm.Migration.Live;
using Vmm.Migration.Stream;

namespace Vmm.Cli.Machines;

/// <summary>A machine that is waited for: at once, or when a client says where it comes from.</summary>
internal sealed class Arrival(IncomingMachine machine, ControlPlane control, ILogger log) : IDisposable
{
    private readonly TaskCompletionSource<Machine> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _cancellation = new();
    private MigrationListener? _listener;
    private Thread? _thread;

    public MigrationStatus Status { get; } = new(control);

    /// <summary>The machine, which runs here, or why there is none.</summary>
    public Task<Machine> Completion => _completion.Task;

    /// <summary>From now on the machine can come.</summary>
    /// <param name="uri">From where.</param>
    /// <exception cref="QmpException">It is waited for already.</exception>
    /// <exception cref="IOException">The URI can't be opened.</exception>
    public void Listen(MigrationUri uri)
    {
        if (_listener is not null)
        {
            throw new QmpException("The incoming migration has already been started");
        }

        _listener = MigrationListener.Open(uri);
        log.LogInformation("waiting for a machine at {Uri}", _listener.Uri);
    }

    /// <summary>After <see cref="Listen"/>: takes it, on a thread of its own.</summary>
    public void Begin()
    {
        _thread = new Thread(() => Receive(_listener!)) { Name = "incoming", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Gives up, if it has not come yet, and returns when nothing is done for it any more.</summary>
    public void Dispose()
    {
        _cancellation.Cancel();
        if (_thread is null)
        {
            _listener?.Dispose();
        }
        else
        {
            _thread.Join();
        }

        _cancellation.Dispose();
    }

    private void Receive(MigrationListener listener)
    {
        try
        {
            Status.Set("setup");
            using (listener)
            {
                using MigrationChannel channel = listener.Accept(refused => log.LogWarning("{Refused}", refused), _cancellation.Token);
                MigrationTimeouts timeouts = new();
                long started = MonotonicClock.Now;
                Status.Set("active");
                if (channel.WaitForContent(timeouts.Verdict, _cancellation.Token) == ChannelContent.Messages)
                {
                    MigrationTimes times = new IncomingMigration(new MessageChannel(channel.Socket!, _cancellation.Token), machine, timeouts).Run();
                    Status.Complete(times, times.StateBytes);
                }
                else
                {
                    new IncomingStream(channel, machine, timeouts, _cancellation.Token).Run();
                    machine.Settle();
                    Status.Complete(new MigrationTimes { Started = started, Running = MonotonicClock.Now }, bytes: null);
                }
            }

            _completion.SetResult(machine.Machine!);
        }
        catch (Exception e) when (e is IOException or UserErrorException or OperationCanceledException)
        {
            Status.Fail(e.Message, _cancellation.IsCancellationRequested);
            _completion.SetException(e);
        }
    }
}
