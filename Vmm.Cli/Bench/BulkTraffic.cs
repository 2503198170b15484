using System.Diagnostics;
using System.Net.Sockets;
using Vmm.Cli.Demo;
using Vmm.Core.Linux;
using Vmm.DemoGuest;

namespace Vmm.Cli.Bench;

/// <summary>As many echoes as go through, many in flight, every byte checked: at least one flow on each queue pair.</summary>
internal sealed class BulkTraffic : IDisposable
{
    private const int Payload = 1024;
    private const int Series = 2000; // requests of a flow, one after the other, before it may end
    private const int ProbeRequests = 50;
    private const int ProbesPerPair = 16;

    private static readonly TimeSpan _answerLimit = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan _endLimit = TimeSpan.FromSeconds(5);

    private readonly List<UdpEchoClient> _flows;
    private readonly EchoReport[] _reports;
    private readonly Thread[] _threads;
    private readonly long _start = Stopwatch.GetTimestamp();
    private volatile bool _ends;
    private volatile bool _givesUp;

    /// <param name="network">Where the guest answers already.</param>
    /// <param name="queues">The guest's queue pairs.</param>
    /// <param name="inFlight">All flows together.</param>
    public BulkTraffic(DemoNetwork network, int queues, int inFlight)
    {
        _flows = inFlight == 0 ? [] : OpenFlows(network, queues);
        _reports = [.. _flows.Select(_ => new EchoReport(0, 0, 0, 0, 0, TimeSpan.Zero, []))];
        _threads = [.. _flows.Select((flow, i) => new Thread(() => Run(i, Math.Max(1, inFlight / _flows.Count))) { Name = $"bulk-{i}", IsBackground = true })];
        foreach (Thread thread in _threads)
        {
            thread.StartOrExplain();
        }
    }

    public int Flows => _flows.Count;

    /// <summary>Why a flow ended before its time: what a system call said.</summary>
    public string? Failure { get; private set; }

    /// <summary>Waits for what is in flight, and says what became of it all.</summary>
    public EchoReport Stop()
    {
        TimeSpan elapsed = Stopwatch.GetElapsedTime(_start);
        _ends = true;
        long end = Stopwatch.GetTimestamp();
        foreach (Thread thread in _threads)
        {
            TimeSpan left = _endLimit - Stopwatch.GetElapsedTime(end);
            thread.Join(left > TimeSpan.Zero ? left : TimeSpan.Zero);
        }

        Dispose();
        return _reports.Aggregate(new EchoReport(0, 0, 0, 0, 0, TimeSpan.Zero, []), (sum, report) => sum + report) with { Elapsed = elapsed };
    }

    public void Dispose()
    {
        _ends = true;
        _givesUp = true;
        foreach (Thread thread in _threads)
        {
            thread.Join();
        }

        foreach (UdpEchoClient flow in _flows)
        {
            flow.Dispose();
        }
    }

    /// <summary>The host puts a flow on the queue pair that its hash says: ports are tried until each pair has one.</summary>
    private static List<UdpEchoClient> OpenFlows(DemoNetwork network, int queues)
    {
        List<UdpEchoClient> flows = [];
        HashSet<int> covered = [];
        for (int probe = 0; covered.Count < queues && probe < queues * ProbesPerPair; probe++)
        {
            UdpEchoClient flow = network.OpenUdp();
            DemoGuestStatus? before = network.RequestStatus();
            flow.Run(ProbeRequests, 1, Payload, _answerLimit);
            DemoGuestStatus? after = network.RequestStatus();
            int pair = before is null || after is null ? -1
                : Enumerable.Range(0, DemoGuestStatus.MaximumQueuePairs).FirstOrDefault(i => after.PairReceived[i] - before.PairReceived[i] >= ProbeRequests, -1);
            if (covered.Add(pair))
            {
                flows.Add(flow);
            }
            else
            {
                flow.Dispose();
            }
        }

        return flows;
    }

    private void Run(int index, int window)
    {
        try
        {
            while (!_ends)
            {
                _reports[index] += _flows[index].Run(Series, window, Payload, _answerLimit, _ => !_givesUp);
            }
        }
        catch (SocketException e)
        {
            Failure = e.Message;
        }
    }
}
