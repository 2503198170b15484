using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Vmm.Cli.Qmp;
using Vmm.Core.Linux;
using Vmm.Core.Machine;
using Vmm.Migration.Channels;
using Vmm.Migration.Live;

namespace Vmm.Cli.Machines;

/// <summary>A machine's whole life in the foreground, from options to exit code.</summary>
internal static class MachineRunner
{
    /// <summary>SIGUSR1: prints the counters of a machine that runs.</summary>
    public const PosixSignal CountersSignal = (PosixSignal)10;

    /// <summary>For a source whose machine has gone; one that is stopped lets go when it is continued.</summary>
    private const int LettingGoMilliseconds = 2000;

    /// <summary>Boots a guest.</summary>
    public static int Run(MachineOptions options, ILogger log)
    {
        MachineLifetime lifetime = new();
        using StopSignals signals = new(lifetime);
        using Job job = Job.Create();
        using ControlPlane control = new();
        using Machine machine = Machine.Build(options, lifetime, log, beforeTraces: made =>
        {
            signals.Catch();
            made.Name = control.Open(options.Name, options.Qmp);
        });
        machine.Start();
        ServiceManager.TellReady();
        return Attend(machine, control, job, signals, log);
    }

    /// <summary>Takes a guest over from another process.</summary>
    /// <param name="channel">To it.</param>
    /// <param name="job">Who waits for this process.</param>
    /// <param name="options">What is to be otherwise than at the source.</param>
    /// <param name="back">The way back to it, for a helper; null for whoever keeps the guest.</param>
    /// <param name="helper">The process that it comes from, if that was this one's helper.</param>
    /// <param name="log">For warnings.</param>
    public static int Receive(MessageSocket channel, Job job, IncomingOptions options, MessageSocket? back, ChildProcess? helper, ILogger log)
    {
        int origin = helper?.Id ?? Tmds.Linux.LibC.getppid();
        MachineLifetime lifetime = new();
        using StopSignals signals = new(lifetime);
        using ControlPlane control = new();
        using IncomingMachine incoming = new(control, options, lifetime, log) { Taken = () => job.Arrive(origin) };
        MigrationTimes times;
        try
        {
            using MessageChannel messages = new(channel);
            signals.Catch();
            times = new IncomingMigration(messages, incoming, new MigrationTimeouts()).Run();

            // ORDER: before any client hears of it. The source waits for the machine by then, or has died: whoever kills it later means the machine.
            _ = channel.WaitForHangUp(LettingGoMilliseconds);
        }
        catch (MigrationException e)
        {
            // The source tells its user.
            log.LogInformation("{Message}", e.Message);

            // Whoever keeps the guest is not the only one otherwise that has its RAM and its back ends.
            incoming.Dispose();
            return helper is null ? ExitCode.HostError : job.HandOver(helper);
        }

        incoming.Machine!.StartConsole();
        using Job own = helper is null ? job : job.Renew(helper);
        return Attend(incoming.Machine, control, own, signals, log, Continue, back);

        void Continue(Migrations migrations)
        {
            migrations.Timeouts = incoming.Timeouts;
            migrations.Status.Complete(times, times.StateBytes);
        }
    }

    /// <summary>Waits for a guest that a migration brings here.</summary>
    /// <param name="options">What is to be otherwise than at the source.</param>
    /// <param name="uri">Where it comes from; null when a client will say so.</param>
    /// <param name="log">For warnings.</param>
    public static int Await(IncomingOptions options, MigrationUri? uri, ILogger log)
    {
        MachineLifetime lifetime = new();
        using StopSignals signals = new(lifetime);
        using Job job = Job.Create();
        using ControlPlane control = new();
        signals.Catch();
        string name = control.Open(options.Name, options.Qmp);

        // From then on no client is answered until the machine's own commands can be.
        using IncomingMachine incoming = new(control, options with { Name = name }, lifetime, log) { Taken = () => control.Server?.Suspend() };
        using Arrival arrival = new(incoming, control, log);

        // ORDER: whoever is answered finds somebody who listens; a machine that has come is not waited for any more.
        if (uri is not null)
        {
            arrival.Listen(uri);
        }

        control.Serve(name, arrival, lifetime);
        if (uri is not null)
        {
            arrival.Begin();
        }

        if (Task.WaitAny(arrival.Completion, lifetime.Completion) != 0)
        {
            GuestEnd end = lifetime.Completion.Result;
            control.Close(end, signals.Received);
            return ExitCode.From(end, signals.Received);
        }

        Machine machine = arrival.Completion.GetAwaiter().GetResult();
        machine.StartConsole();
        ServiceManager.TellReady();
        return Attend(machine, control, job, signals, log, migrations => migrations.Status.Continue(arrival.Status));
    }

    /// <summary>Stays until the guest ends, here or in the process that it has gone on to.</summary>
    private static int Attend(Machine machine, ControlPlane control, Job job, StopSignals signals, ILogger log, Action<Migrations>? arrived = null, MessageSocket? back = null)
    {
        using PosixSignalRegistration counters = PosixSignalRegistration.Create(CountersSignal, context =>
        {
            context.Cancel = true;
            WriteCounters(machine);
        });
        using Migrations migrations = new(machine, control, job, log);
        arrived?.Invoke(migrations);
        control.Serve(machine, migrations, passing: back is not null);
        if (back is not null)
        {
            migrations.Begin(back, migrations.Status.Times!.Value);
        }

        job.Watch(() =>
        {
            log.LogWarning("{Name}: the process that waited for it was killed", machine.Name);
            machine.Lifetime.End(new GuestEnd(GuestEndCause.Stopped));
        });
        GuestEnd end = machine.Lifetime.Completion.GetAwaiter().GetResult();
        control.Close(end, signals.Received);
        machine.Dispose();
        if (end.Cause == GuestEndCause.HandedOver)
        {
            return machine.Departure!.Leave(job);
        }

        ServiceManager.TellStopping();
        Report(machine, end, log);
        return ExitCode.From(end, signals.Received);
    }

    private static void Report(Machine machine, GuestEnd end, ILogger log)
    {
        if (log.IsEnabled(LogLevel.Information))
        {
            WriteCounters(machine);
        }

        switch (end.Cause)
        {
            case GuestEndCause.Crash or GuestEndCause.TripleFault or GuestEndCause.Panic or GuestEndCause.HostError:
                StandardError.WriteLine($"vmm: {machine.Name}: {Describe(end)}");
                if (end.Report is not null)
                {
                    StandardError.WriteLine(end.Report);
                }

                break;
            default:
                log.LogInformation("{Name}: {End}", machine.Name, Describe(end));
                break;
        }
    }

    private static string Describe(GuestEnd end) => end.Cause switch
    {
        GuestEndCause.PowerOff => "the guest powered off.",
        GuestEndCause.Reset => "the guest asked for a reset, which ends it here.",
        GuestEndCause.DebugExit => $"the guest wrote {end.Status} to the debug-exit port.",
        GuestEndCause.TripleFault => "triple fault: the guest crashed, or reset itself that way.",
        GuestEndCause.Crash => "the guest crashed.",
        GuestEndCause.Panic => "the guest's kernel panicked; its last words are on its console.",
        GuestEndCause.Stopped => "stopped.",
        GuestEndCause.HandedOver => "another process goes on with it.",
        _ => "vmm itself failed.",
    };

    private static void WriteCounters(Machine machine)
    {
        foreach (string line in machine.Devices.SelectMany(device => device.DescribeCounters()))
        {
            StandardError.WriteLine($"vmm: {line}");
        }
    }
}
