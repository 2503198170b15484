using Microsoft.Extensions.Logging;
using Vmm.Cli.Qmp;
using Vmm.Core.Machine;
using Vmm.Migration.Live;

namespace Vmm.Cli.Machines;

/// <summary>The migrations of a machine, one at a time, and what became of the last one.</summary>
internal sealed class Migrations(Machine machine, ControlPlane control, Job job, ILogger log) : IDisposable
{
    private readonly Lock _lock = new();
    private CancellationTokenSource? _cancellation;

    /// <summary>QEMU's MigrationStatus; null before the first one.</summary>
    public string? Status { get; private set; }

    /// <summary>Why the last one failed.</summary>
    public string? Error { get; private set; }

    /// <summary>Of the last one that came about: here, or the one by which the machine came here.</summary>
    public MigrationTimes? Times { get; private set; }

    /// <summary>How long each step may take, for the next one.</summary>
    public MigrationTimeouts Timeouts { get; set; } = new();

    /// <summary>Starts a live update on a thread of its own.</summary>
    /// <param name="request">Its time-outs and cancellation are filled in here.</param>
    /// <param name="ended">Told how it ended, unless the machine is gone: then its new process tells.</param>
    /// <exception cref="QmpException">There is one under way.</exception>
    public void Begin(LiveUpdateRequest request, Action<LiveUpdateResult?, Exception?> ended)
    {
        lock (_lock)
        {
            if (_cancellation is not null)
            {
                throw new QmpException("There's a migration process in progress");
            }

            _cancellation = new CancellationTokenSource();
            request = request with { Timeouts = Timeouts, Cancellation = _cancellation.Token };
        }

        new Thread(() => Run(request, ended)) { Name = "live-update", IsBackground = true }.Start();
    }

    /// <summary>The one that is under way ends, if it has not gone too far.</summary>
    public void Cancel()
    {
        lock (_lock)
        {
            _cancellation?.Cancel();
        }
    }

    /// <summary>The machine came here by one.</summary>
    public void Arrived(MigrationTimes times)
    {
        Times = times;
        Set("completed");
    }

    public void Dispose() => _cancellation?.Dispose();

    private void Run(LiveUpdateRequest request, Action<LiveUpdateResult?, Exception?> ended)
    {
        LiveUpdateResult? result = null;
        Exception? failure = null;
        try
        {
            Set("setup");
            result = new LiveUpdate(machine, control, job, log).Run(request);
            Times = result.Times ?? Times;
            Status = result.Times is null ? null : "completed";
        }
        catch (Exception e) when (e is IOException or UserErrorException)
        {
            failure = e;
            Error = e.Message;
            Set(_cancellation!.IsCancellationRequested ? "cancelled" : "failed");
        }

        lock (_lock)
        {
            _cancellation!.Dispose();
            _cancellation = null;
        }

        if (result?.Successor is { } successor)
        {
            machine.Successor = successor;
            machine.Lifetime.End(new GuestEnd(GuestEndCause.HandedOver));
            return;
        }

        if (failure is MachineLostException)
        {
            machine.Lifetime.End(new GuestEnd(GuestEndCause.HostError, Report: failure.Message));
        }

        ended(result, failure);
    }

    private void Set(string status)
    {
        Status = status;
        control.Server?.Emit(QmpEvent.Migration(status));
    }
}
