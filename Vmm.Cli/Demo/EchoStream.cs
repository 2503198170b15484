using System.Diagnostics;
using System.Net.Sockets;
using Vmm.Core.Linux;

namespace Vmm.Cli.Demo;

/// <summary>
/// Echo requests at a constant rate, whatever becomes of the answers: each answer is checked, and the silence between two is measured.
/// </summary>
internal sealed class EchoStream : IDisposable
{
    private const int Payload = 56;

    /// <summary>Requests that a sender who comes late makes up for; what is more is left out.</summary>
    private const int MostLate = 50;

    private static readonly TimeSpan _patience = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan _lastAnswer = TimeSpan.FromSeconds(2);

    private readonly EchoClient _client;
    private readonly EchoTally _tally = new();
    private readonly Thread _sender;
    private readonly Thread _receiver;
    private readonly double _ticksPerRequest;
    private readonly long _start = Stopwatch.GetTimestamp();
    private volatile int _sent;
    private volatile bool _sends = true;
    private volatile bool _ends;
    private long _last = Stopwatch.GetTimestamp();
    private long _longestSilence;

    /// <param name="client">Nobody else uses it until <see cref="Stop"/>.</param>
    /// <param name="rate">Requests a second.</param>
    public EchoStream(EchoClient client, int rate)
    {
        _client = client;
        _ticksPerRequest = (double)Stopwatch.Frequency / rate;
        client.Begin(Payload, _patience);
        _sender = new Thread(Send) { Name = "echo-requests", IsBackground = true };
        _receiver = new Thread(Receive) { Name = "echo-answers", IsBackground = true };
        _receiver.StartOrExplain();
        _sender.StartOrExplain();
    }

    /// <summary>Why it ended before its time: what a system call said.</summary>
    public string? Failure { get; private set; }

    public int Answered => _tally.Answered;

    /// <summary>Requests without an answer so far.</summary>
    public int InFlight => _sent - _tally.Answered;

    /// <summary>The longest time between two answers, or since the last one, since this was asked last.</summary>
    public TimeSpan TakeLongestSilence()
    {
        long open = Stopwatch.GetTimestamp() - Interlocked.Read(ref _last);
        return Stopwatch.GetElapsedTime(0, Math.Max(open, Interlocked.Exchange(ref _longestSilence, 0)));
    }

    /// <summary>Sends no more, waits for the answers that are due, and says what became of it all.</summary>
    public EchoReport Stop()
    {
        _sends = false;
        _sender.Join();
        long end = Stopwatch.GetTimestamp();
        while (InFlight > 0 && Stopwatch.GetElapsedTime(end) < _lastAnswer)
        {
            Thread.Sleep(1);
        }

        // What comes twice comes late.
        Thread.Sleep(_patience);
        _ends = true;
        _receiver.Join();
        return _tally.Report(_sent, Stopwatch.GetElapsedTime(_start, Interlocked.Read(ref _last)), []);
    }

    public void Dispose()
    {
        _sends = false;
        _ends = true;
        _sender.Join();
        _receiver.Join();
    }

    private void Send()
    {
        try
        {
            for (double due = Stopwatch.GetTimestamp(); _sends; due += _ticksPerRequest)
            {
                while (_sends && Stopwatch.GetTimestamp() < due)
                {
                    Thread.Sleep(1);
                }

                due = Math.Max(due, Stopwatch.GetTimestamp() - (MostLate * _ticksPerRequest));

                // ORDER: counted first, as the answer may be here before Send returns.
                int number = _sent;
                _sent = number + 1;
                _client.Send(number);
            }
        }
        catch (SocketException e)
        {
            Failure = e.Message;
        }
    }

    private void Receive()
    {
        while (!_ends)
        {
            EchoAnswer answer = _client.Receive(out int number);
            if (!_tally.TryCount(answer, number, _sent))
            {
                continue;
            }

            long now = Stopwatch.GetTimestamp();
            long silence = now - Interlocked.Exchange(ref _last, now);
            for (long longest = Interlocked.Read(ref _longestSilence); silence > longest;)
            {
                long seen = Interlocked.CompareExchange(ref _longestSilence, silence, longest);
                if (seen == longest)
                {
                    break;
                }

                longest = seen;
            }
        }
    }
}
