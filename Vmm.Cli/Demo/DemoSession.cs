using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Vmm.Cli.Machines;
using Vmm.Cli.Qmp;
using Vmm.Core.Consoles;
using Vmm.Core.Machine;
using Vmm.Core.Network;

namespace Vmm.Cli.Demo;

/// <summary>
/// A guest, a network of its own around it, and traffic between the two. The namespace is a thread's, the TAP is a descriptor, and the process
/// to which the guest goes in the end watches this one: all are gone when it ends, however it ends.
/// </summary>
internal sealed partial class DemoSession : IDisposable
{
    private const int Pings = 10;
    private const int Burst = 20_000;
    private const int Window = 32;
    private const int Payload = 56;

    private static readonly TimeSpan _pingInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan _answerLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan _viewInterval = TimeSpan.FromMilliseconds(150);
    private static readonly TimeSpan _bootLimit = TimeSpan.FromSeconds(10);

    private readonly IDemoView _view;
    private readonly MachineLifetime _lifetime;
    private readonly ILogger _log;
    private readonly DemoConsole _console = new();
    private readonly ControlPlane _control = new();
    private readonly Job _job = Job.Create();
    private readonly DemoNetwork _network;
    private readonly Machine _machine;
    private readonly IcmpEchoClient _icmp;
    private readonly UdpEchoClient _udp;

    public DemoSession(IDemoView view, MachineLifetime lifetime, ILogger log)
    {
        _view = view;
        _lifetime = lifetime;
        _log = log;
        _network = new DemoNetwork("demo-network");
        try
        {
            MachineOptions options = new()
            {
                Name = "demo",
                Kernel = MachineOptions.DemoKernel,
                CommandLine = $"ip={DemoNetwork.GuestAddress}",
                Memory = 64 << 20,
                Devices = [NetworkDeviceOptions.Parse($"tap,id=net0,ifname={DemoNetwork.Interface}")],
                Console = new ConsoleOptions(ConsoleKind.None),
            };
            _machine = _network.Namespace.Run(() => Machine.Build(options, lifetime, log, _console));
            _network.Configure();
            _icmp = _network.OpenIcmp();
            _udp = _network.OpenUdp();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Boots, measures, shows.</summary>
    /// <returns>True when every request was answered, and rightly; false also when the guest ended before.</returns>
    public bool Run()
    {
        _view.Fact("host", $"{_machine.HypervisorDescription}, {Environment.ProcessorCount} CPUs");
        _view.Fact("network", $"TAP {DemoNetwork.Interface} ({DemoNetwork.HostAddress}) in a namespace of its own");
        long start = Stopwatch.GetTimestamp();
        _machine.Start();
        if (!WaitForFirstAnswer())
        {
            return false;
        }

        TimeSpan firstAnswer = Stopwatch.GetElapsedTime(start);
        ShowGuestLines();
        _view.Fact("boot", $"from the vCPU's start: {Milliseconds(Stopwatch.GetElapsedTime(start, _console.FirstByteAt))} to the first output, {Milliseconds(firstAnswer)} to the first ping answer");
        bool clean = PingOneByOne();
        ShowCounters(_view.Fact);
        clean &= RunBurst("UDP echo", _udp);
        ShowCounters(_view.Fact);
        clean &= RunBurst("ping flood", _icmp);
        clean &= ShowGuestStatus();
        ShowCounters(_view.Fact);
        clean &= UpdateUnderTraffic();
        return clean && !_lifetime.HasEnded;
    }

    public void Dispose()
    {
        _icmp?.Dispose();
        _udp?.Dispose();
        EndSuccessor();
        _machine?.Dispose();
        _job.Dispose();
        _control.Dispose();
        _network.Dispose();
    }

    private bool WaitForFirstAnswer()
    {
        if (DemoNetwork.WaitForFirstAnswer(_icmp, _bootLimit, () => !_lifetime.HasEnded))
        {
            return true;
        }

        if (!_lifetime.HasEnded)
        {
            ShowGuestLines();
            _view.Fact("boot", $"no ping answer within {_bootLimit.TotalSeconds} s");
        }

        return false;
    }

    private bool PingOneByOne()
    {
        bool clean = true;
        for (int i = 1; i <= Pings && !_lifetime.HasEnded; i++)
        {
            EchoReport report = _icmp.Run(1, 1, Payload, _answerLimit);
            ShowCounters(_view.Progress);
            _view.Ping(i, report.Answered == 1 ? report.RoundTrip(0.5) : null);
            clean &= report.IsClean;
            Thread.Sleep(_pingInterval);
        }

        return clean;
    }

    private bool RunBurst(string name, EchoClient client)
    {
        if (_lifetime.HasEnded)
        {
            return false;
        }

        long shownAt = 0;
        EchoReport report = client.Run(Burst, Window, Payload, _answerLimit, answered =>
        {
            if (Stopwatch.GetElapsedTime(shownAt) > _viewInterval)
            {
                _view.Progress(name, $"{Count(answered)} of {Count(Burst)} answered ...");
                ShowCounters(_view.Progress);
                shownAt = Stopwatch.GetTimestamp();
            }

            return !_lifetime.HasEnded;
        });
        _view.Fact(name, $"{Count(report.Sent)} of {Payload} bytes, {Window} in flight: {Count((int)report.PerSecond)}/s, {report.Lost} lost, {report.Corrupted} damaged");
        return report.IsClean;
    }

    private bool ShowGuestStatus()
    {
        if (_lifetime.HasEnded || _network.RequestStatus() is not { } status)
        {
            return false;
        }

        _view.Fact("guest", $"{Count(status.ReceivedFrames)} frames in, {Count(status.SentFrames)} out, {Count(status.Interrupts)} interrupts; "
            + $"memory check: {Count(status.CheckPasses)} passes, {status.CheckErrors} errors");
        return status.CheckErrors == 0;
    }

    /// <param name="show"><see cref="IDemoView.Progress"/> while they change, <see cref="IDemoView.Fact"/> when something is over.</param>
    private void ShowCounters(Action<string, string> show)
    {
        NetworkCard card = _machine.Cards.First();
        long received = card.Device.Metrics.Receive.Sum(queue => queue.Frames);
        long sent = card.Device.Metrics.Transmit.Sum(queue => queue.Frames);
        show("device", $"{card.Id}: {Count((ulong)received)} frames to the guest, {Count((ulong)sent)} from it, {card.Transport.Metrics.Faults} faults");
    }

    private void ShowGuestLines()
    {
        while (_console.TryTakeLine(out string line))
        {
            _view.Fact("serial", line);
        }
    }

    private static string Milliseconds(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:0.0} ms");

    private static string Count(ulong number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private static string Count(int number) => Count((ulong)number);
}
