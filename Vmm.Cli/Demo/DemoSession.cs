using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Vmm.Backends.Tap;
using Vmm.Cli.Machines;
using Vmm.Core.Consoles;
using Vmm.Core.Machine;
using Vmm.Core.Network;
using Vmm.DemoGuest;

namespace Vmm.Cli.Demo;

/// <summary>
/// A guest, a network of its own around it, and traffic between the two. Everything lives in this process: the namespace is a thread's, the
/// TAP is a descriptor, and both are gone when it ends, however it ends.
/// </summary>
internal sealed class DemoSession : IDisposable
{
    private const string Interface = "vmtap0";
    private const int PrefixLength = 24;
    private const int Pings = 10;
    private const int Burst = 20_000;
    private const int Window = 32;
    private const int Payload = 56;

    private static readonly IPAddress _hostAddress = IPAddress.Parse("10.0.0.1");
    private static readonly IPAddress _guestAddress = IPAddress.Parse("10.0.0.2");
    private static readonly TimeSpan _pingInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan _answerLimit = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _viewInterval = TimeSpan.FromMilliseconds(150);
    private static readonly TimeSpan _bootLimit = TimeSpan.FromSeconds(10);

    private readonly IDemoView _view;
    private readonly MachineLifetime _lifetime;
    private readonly DemoConsole _console = new();
    private readonly NetworkNamespace _network;
    private readonly Machine _machine;
    private readonly IcmpEchoClient _icmp;
    private readonly UdpEchoClient _udp;

    public DemoSession(IDemoView view, MachineLifetime lifetime, ILogger log)
    {
        _view = view;
        _lifetime = lifetime;
        _network = NetworkNamespace.Create("demo-network");
        try
        {
            MachineOptions options = new()
            {
                Name = "demo",
                Kernel = MachineOptions.DemoKernel,
                CommandLine = $"ip={_guestAddress}",
                Memory = 64 << 20,
                Networks = [NetworkDeviceOptions.Parse($"tap,ifname={Interface}")],
                Console = new ConsoleOptions(ConsoleKind.None),
            };
            _machine = _network.Run(() => Machine.Build(options, lifetime, log, _console));
            _network.Run(() => NetworkLink.AddIPAddress(Interface, _hostAddress, PrefixLength));
            _icmp = _network.Run(() => new IcmpEchoClient(_guestAddress));
            _udp = _network.Run(() => new UdpEchoClient(new IPEndPoint(_guestAddress, DemoGuestStatus.EchoPort)));
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
        _view.Fact("network", $"TAP {Interface} ({_hostAddress}) in a namespace of its own");
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
        return clean && !_lifetime.HasEnded;
    }

    public void Dispose()
    {
        _icmp?.Dispose();
        _udp?.Dispose();
        _machine?.Dispose();
        _network.Dispose();
    }

    private bool WaitForFirstAnswer()
    {
        long start = Stopwatch.GetTimestamp();
        while (!_lifetime.HasEnded)
        {
            if (_icmp.Run(1, 1, Payload, TimeSpan.FromMilliseconds(20)).Answered == 1)
            {
                return true;
            }

            if (Stopwatch.GetElapsedTime(start) > _bootLimit)
            {
                ShowGuestLines();
                _view.Fact("boot", $"no ping answer within {_bootLimit.TotalSeconds} s");
                return false;
            }
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
        if (_lifetime.HasEnded || RequestStatus() is not { } status)
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
        NetworkCard card = _machine.Cards[0];
        long received = card.Device.Metrics.Receive.Sum(queue => queue.Frames);
        long sent = card.Device.Metrics.Transmit.Sum(queue => queue.Frames);
        show("device", $"{card.Id}: {Count((ulong)received)} frames to the guest, {Count((ulong)sent)} from it, {card.Transport.Metrics.Faults} faults");
    }

    private DemoGuestStatus? RequestStatus()
    {
        using Socket socket = _network.Run(() => new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp));
        socket.ReceiveTimeout = (int)_answerLimit.TotalMilliseconds;
        socket.Connect(new IPEndPoint(_guestAddress, DemoGuestStatus.Port));
        socket.Send(ReadOnlySpan<byte>.Empty);
        byte[] answer = new byte[DemoGuestStatus.Size];
        int length = socket.Receive(answer, SocketFlags.None, out SocketError error);
        return error == SocketError.Success ? DemoGuestStatus.TryParse(answer.AsSpan(0, length)) : null;
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
