using Microsoft.Extensions.Logging;
using Vmm.Cli.Qmp;
using Vmm.Core.Linux;
using Vmm.Core.Machine;
using Vmm.Migration.Live;

namespace Vmm.Cli.Machines;

/// <summary>The migrations of a machine, one at a time, and what became of the last one.</summary>
internal sealed class Migrations(Machine machine, ControlPlane control, Job job, ILogger log) : IDisposable
{
    private readonly Lock _lock = new();
    private CancellationTokenSource? _cancellation;

    public MigrationStatus Status { get; } = new(control);

    /// <summary>How long each step may take, for the next one.</summary>
    public MigrationTimeouts Timeouts { get; set; } = new();

    /// <summary>Starts a live update on a thread of its own.</summary>
    /// <param name="request">Its time-outs and cancellation are filled in here.</param>
    /// <param name="ended">Told how it ended, unless the machine is gone: then its new process tells.</param>
    /// <exception cref="QmpException">There is one under way.</exception>
    public void Begin(LiveUpdateRequest request, Action<MigrationResult?, Exception?> ended)
        => Begin(
            (timeouts, cancellation) =>
            {
                if (!request.DryRun)
                {
                    Status.Set("setup");
                }

                return new LiveUpdate(machine, control, job, Status, log).Run(request with { Timeouts = timeouts, Cancellation = cancellation });
            },
            ended);

    /// <summary>Hands the machine back to the process that it came from.</summary>
    /// <param name="channel">To it; disposed when it is done.</param>
    /// <param name="before">When each part was done of the way here.</param>
    public void Begin(MessageSocket channel, MigrationTimes before)
        => Begin(
            (timeouts, cancellation) =>
            {
                Status.Set("setup");
                return new LiveUpdate(machine, control, job, Status, log).Return(channel, before, timeouts, cancellation);
            },
            (_, _) => { });

    /// <summary>Starts a migration on a thread of its own; how it ends is for <see cref="Status"/> to say.</summary>
    /// <param name="request">Its time-outs and cancellation are filled in here.</param>
    /// <exception cref="QmpException">There is one under way.</exception>
    public void Begin(MigrateRequest request)
        => Begin(
            (timeouts, cancellation) =>
            {
                Status.Set("setup");
                return new Migrate(machine, control, Status).Run(request with { Timeouts = timeouts, Cancellation = cancellation });
            },
            (_, _) => { });

    /// <summary>The one that is under way ends, if it has not gone too far.</summary>
    public void Cancel()
    {
        lock (_lock)
        {
            _cancellation?.Cancel();
        }
    }

    public void Dispose() => _cancellation?.Dispose();

    private void Begin(Func<MigrationTimeouts, CancellationToken, MigrationResult> run, Action<MigrationResult?, Exception?> ended)
    {
        CancellationTokenSource cancellation = new();
        lock (_lock)
        {
            if (_cancellation is not null)
            {
                cancellation.Dispose();
                throw new QmpException("There's a migration process in progress");
            }

            if (machine.RunState == RunState.PostMigrate)
            {
                cancellation.Dispose();
                throw new QmpException("Another process runs this guest now: there is nothing here that could migrate");
            }

            _cancellation = cancellation;
        }

        new Thread(() => Run(() => run(Timeouts, cancellation.Token), ended)) { Name = "migration", IsBackground = true }.Start();
    }

    private void Run(Func<MigrationResult> run, Action<MigrationResult?, Exception?> ended)
    {
        MigrationResult? result = null;
        Exception? failure = null;
        try
        {
            result = run();
        }
        catch (Exception e) when (e is IOException or UserErrorException)
        {
            failure = e;
        }

        lock (_lock)
        {
            bool cancelled = _cancellation!.IsCancellationRequested;
            _cancellation.Dispose();
            _cancellation = null;

            // ORDER: whoever hears of it can begin the next one.
            if (result is not null)
            {
                Status.End(result);
            }
            else
            {
                Status.Fail(failure!.Message, cancelled);
            }
        }

        if (result?.Departure is { } departure)
        {
            machine.Departure = departure;
            machine.Lifetime.End(new GuestEnd(GuestEndCause.HandedOver));
            return;
        }

        // ORDER: the answer before the end, which closes the connection that it goes to.
        ended(result, failure);
        if (failure is MachineLostException)
        {
            machine.Lifetime.End(new GuestEnd(GuestEndCause.HostError, Report: failure.Message));
        }
    }
}
