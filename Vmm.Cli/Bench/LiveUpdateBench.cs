using System.Diagnostics;
using System.Net.Sockets;
using Vmm.Cli.Demo;
using Vmm.Cli.Qmp;
using Vmm.Cli.Qmp.Replies;
using Vmm.Core.Machine;
using Vmm.DemoGuest;
using Vmm.Migration.Live;

namespace Vmm.Cli.Bench;

/// <summary>Updates a guest again and again while it answers echo requests, and looks for anything that got lost or stayed behind.</summary>
/// <param name="options">How often, and of what guest.</param>
/// <param name="lifetime">A signal ends it early.</param>
internal sealed class LiveUpdateBench(BenchOptions options, MachineLifetime lifetime)
{
    private static readonly TimeSpan _bootLimit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan _warmUp = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan _leaveLimit = TimeSpan.FromSeconds(3);

    private readonly List<UpdateSample> _samples = [];
    private readonly List<string> _failures = [];
    private readonly GuestClock _clock = new();
    private readonly long _start = Stopwatch.GetTimestamp();
    private Footprint _firstWaiter;

    /// <param name="progress">Told of each update.</param>
    /// <exception cref="UserErrorException">The guest did not come up.</exception>
    public BenchResult Run(Action<UpdateSample> progress)
    {
        using DemoNetwork network = new("bench-network");
        using BenchMachine machine = new(network, options);
        network.Configure();
        using (IcmpEchoClient icmp = network.OpenIcmp())
        {
            if (!DemoNetwork.WaitForFirstAnswer(icmp, _bootLimit, () => !lifetime.HasEnded && !machine.HasEnded))
            {
                throw new UserErrorException("The guest does not answer.");
            }
        }

        using BulkTraffic bulk = new(network, options.Queues, options.InFlight);
        using UdpEchoClient? echo = options.Rate > 0 ? network.OpenUdp() : null;
        using EchoStream? stream = echo is null ? null : new EchoStream(echo, options.Rate);
        Thread.Sleep(_warmUp);
        AskGuest(network);
        try
        {
            while (_samples.Count < options.Updates && !lifetime.HasEnded)
            {
                UpdateSample sample = Update(network, machine, stream);
                _samples.Add(sample);
                if (_samples.Count == 1)
                {
                    _firstWaiter = Footprint.TryRead(machine.FirstProcess) ?? default;
                }

                progress(sample);
            }
        }
        catch (Exception e) when (e is QmpException or UserErrorException or TimeoutException or SocketException)
        {
            _failures.Add($"update {_samples.Count + 1}: {e.Message}");
        }

        EchoReport? echoReport = stream?.Stop();
        EchoReport? bulkReport = bulk.Flows > 0 ? bulk.Stop() : null;
        _failures.AddRange(((string?[])[stream?.Failure, bulk.Failure]).OfType<string>());
        DemoGuestStatus? status = AskGuest(network);
        (Footprint machineLast, Footprint waiterLast, int left) = LookForLeftovers(machine);
        End(machine);
        return new BenchResult
        {
            Options = options,
            Samples = _samples,
            Clock = _clock,
            Status = status,
            Echo = echoReport,
            Bulk = bulkReport,
            Flows = bulk.Flows,
            Machine = (_samples.Count > 0 ? _samples[0].Footprint : default, machineLast),
            Waiter = (_firstWaiter, waiterLast),
            ProcessesLeft = left,
            Failures = _failures,
            Elapsed = Stopwatch.GetElapsedTime(_start),
        };
    }

    private UpdateSample Update(DemoNetwork network, BenchMachine machine, EchoStream? stream)
    {
        DemoGuestStatus before = AskGuest(network) ?? throw new UserErrorException("the guest does not answer");
        stream?.TakeLongestSilence();
        MigrationPhases phases = machine.Update(options.Binary);
        DemoGuestGaps? gaps = network.RequestGaps();
        DemoGuestStatus? status = AskGuest(network);
        if (gaps is null || status is null)
        {
            throw new UserErrorException("the guest does not answer any more");
        }

        Thread.Sleep(options.Interval);
        return new UpdateSample(
            _samples.Count + 1,
            machine.Process,
            phases,
            status.IsPolling ? status.LongestGapTicks : null,
            before.IsPolling ? before.LongestGapTicks : null,
            gaps,
            stream?.TakeLongestSilence(),
            stream?.InFlight ?? 0,
            Footprint.TryRead(machine.Process) ?? throw new UserErrorException("the new process is gone"));
    }

    /// <summary>Asks how it is; its longest gap begins anew.</summary>
    private DemoGuestStatus? AskGuest(DemoNetwork network)
    {
        double asked = MonotonicClock.Now / 1000.0;
        DemoGuestStatus? status = network.RequestStatus(DemoGuestStatus.ResetLongestGap);
        if (status is not null)
        {
            _clock.Add(asked, MonotonicClock.Now / 1000.0, status.UptimeTicks);
        }

        return status;
    }

    /// <summary>What takes a moment to end gets one.</summary>
    private (Footprint Machine, Footprint Waiter, int Processes) LookForLeftovers(BenchMachine machine)
    {
        long start = Stopwatch.GetTimestamp();
        while (true)
        {
            Footprint now = Footprint.TryRead(machine.Process) ?? default;
            Footprint waiter = Footprint.TryRead(machine.FirstProcess) ?? default;
            int left = Footprint.FindChildren(machine.FirstProcess).Count(id => id != machine.Process);
            bool clean = left == 0 && (_samples.Count == 0 || !now.FindGrowth(_samples[0].Footprint).Concat(waiter.FindGrowth(_firstWaiter)).Any());
            if (clean || Stopwatch.GetElapsedTime(start) > _leaveLimit)
            {
                return (now, waiter, left);
            }

            Thread.Sleep(10);
        }
    }

    private void End(BenchMachine machine)
    {
        try
        {
            if (machine.Quit() is not ExitCode.Success and var code)
            {
                _failures.Add(code is null ? "the machine does not end" : $"the machine ended with {code}");
            }
        }
        catch (Exception e) when (e is IOException or QmpException or UserErrorException or TimeoutException or SocketException)
        {
            _failures.Add($"the machine can't be ended: {e.Message}");
        }
    }
}
