using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Tmds.Linux;
using Vmm.Core.Linux;

namespace Vmm.Cli.Machines;

/// <summary>The part of the process that was started when the machine has left it: waits for whoever has the machine, and passes signals on.</summary>
internal sealed class JobWaiter
{
    /// <summary>Two process ids: the machine has gone from the first to the second.</summary>
    public const int MessageSize = 2 * sizeof(int);

    private static readonly int[] s_signals = [LibC.SIGHUP, LibC.SIGINT, LibC.SIGTERM, LibC.SIGUSR1, LibC.SIGCONT];

    /// <summary>How long a process that has got all that it needs may take to say so.</summary>
    private static readonly TimeSpan s_takeOverLimit = TimeSpan.FromSeconds(10);

    private readonly MessageSocket _line;
    private readonly PosixSignalRegistration[] _signals;
    private readonly Dictionary<int, int> _moves = []; // signals look too, under its lock
    private readonly Dictionary<int, ChildProcess> _ended = [];
    private volatile ChildProcess? _running;

    /// <summary>Passes signals on from now on.</summary>
    /// <param name="line">Every process of the machine says on it where the machine has come from, and where it has gone, in no certain order.</param>
    /// <param name="first">The process that it has gone to.</param>
    public JobWaiter(MessageSocket line, ChildProcess first)
    {
        _line = line;
        _running = first;
        _signals = [.. s_signals.Select(Forward), PosixSignalRegistration.Create((PosixSignal)LibC.SIGTSTP, Stop)];
    }

    public static void Write(Span<byte> message, int from, int to)
    {
        BinaryPrimitives.WriteInt32LittleEndian(message, from);
        BinaryPrimitives.WriteInt32LittleEndian(message[sizeof(int)..], to);
    }

    /// <summary>Returns when the machine has ended, and what it has ended with.</summary>
    public int Wait()
    {
        ChildProcess last;
        do
        {
            last = _running!;
            last.Wait();
            _running = FindNext(last);
        }
        while (_running is not null);

        Array.ForEach(_signals, signal => signal.Dispose());
        if (last.KillingSignal is { } number)
        {
            StandardError.WriteLine($"vmm: process {last.Id}, which ran the machine, was killed by signal {number}.");
        }

        return last.Wait();
    }

    /// <summary>
    /// Who has the machine after a process that has ended; null when nobody has. One that was killed while it handed over leaves a child, ours
    /// now, that says so as soon as it has the guest, or ends.
    /// </summary>
    private ChildProcess? FindNext(ChildProcess last)
    {
        long limit = Environment.TickCount64 + (long)s_takeOverLimit.TotalMilliseconds;
        while (true)
        {
            // ORDER: before the line: what a process had to say was said before it ended.
            bool childrenLeft;
            while ((childrenLeft = ChildProcess.TryWaitForAny(out ChildProcess? other)) && other is not null)
            {
                _ended[other.Id] = other;
            }

            Hear();
            if (GetNext(last.Id) is { } next)
            {
                return next;
            }

            if (last.KillingSignal is null || !childrenLeft || Environment.TickCount64 >= limit)
            {
                return null;
            }

            _ = _line.Wait(LibC.POLLIN, 20);
        }
    }

    private void Hear()
    {
        lock (_moves)
        {
            Span<byte> message = stackalloc byte[MessageSize];
            while (_line.Receive(message, []) == MessageSize)
            {
                _moves[BinaryPrimitives.ReadInt32LittleEndian(message)] = BinaryPrimitives.ReadInt32LittleEndian(message[sizeof(int)..]);
            }
        }
    }

    /// <summary>
    /// The first process that has had the machine after that one, which has ended, and is our child by now. Not the last one: it may be the
    /// child of another that still takes its own things apart. Left out are helpers, from which the machine has come back.
    /// </summary>
    private ChildProcess? GetNext(int last)
    {
        lock (_moves)
        {
            for (int process = last; _moves.Remove(process, out int next) && next != last; process = next)
            {
                ChildProcess found = _ended.Remove(next, out ChildProcess? ended) ? ended : new ChildProcess(next);
                if (found.IsOurs)
                {
                    return found;
                }
            }
        }

        return null;
    }

    /// <summary>Where the machine is after all of its moves from there; each counts once, as it may come back.</summary>
    private static int Follow(int process, Dictionary<int, int> moves)
    {
        while (moves.Remove(process, out int next))
        {
            process = next;
        }

        return process;
    }

    /// <summary>To the machine, which may have gone on while the process that it has left still takes its own things apart.</summary>
    private void Pass(int number)
    {
        Hear();
        lock (_moves)
        {
            if (_running is { } running)
            {
                _ = LibC.kill(Follow(running.Id, new Dictionary<int, int>(_moves)), number);
            }
        }
    }

    /// <summary>A job stops as a whole: whoever waits for this process has to see that it has.</summary>
    private void Stop(PosixSignalContext context)
    {
        context.Cancel = true;
        Pass(LibC.SIGSTOP);
        _ = LibC.kill(Environment.ProcessId, LibC.SIGSTOP);
    }

    /// <summary>Signals to this process are meant for the machine.</summary>
    private PosixSignalRegistration Forward(int number) => PosixSignalRegistration.Create((PosixSignal)number, context =>
    {
        context.Cancel = true;
        Pass(number);
    });
}
