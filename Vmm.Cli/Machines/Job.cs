using System.Globalization;
using Vmm.Core.Linux;

namespace Vmm.Cli.Machines;

/// <summary>
/// What a shell, or whoever else started a machine, waits for. The process that was started stays for that alone when the machine has gone
/// to another one: it passes signals on and ends as the machine does. Every later process of the machine has a line to it, and says on it
/// who comes next. A service manager does the waiting itself, and is told the next process. Whoever kills the one that waits means the
/// machine; a source that dies while it hands over does not wait yet.
/// </summary>
internal sealed class Job : IDisposable
{
    private const int PR_SET_CHILD_SUBREAPER = 36;
    private const byte Waits = 1;

    private readonly MessageSocket? _waiter; // here, if this process is the one that waits
    private readonly MessageSocket _line;
    private Thread? _reaper;
    private JobWaiter? _waiting;

    private Job(MessageSocket? waiter, MessageSocket line)
    {
        _waiter = waiter;
        _line = line;
    }

    /// <summary>For the process that goes on with the machine.</summary>
    public FileDescriptor Line => _line;

    /// <summary>This process is the one that was started, and will wait.</summary>
    public static Job Create()
    {
        (MessageSocket waiter, MessageSocket line) = MessageSocket.CreatePair();
        return new Job(waiter, line);
    }

    /// <summary>Another process waits, or this one in its earlier shape has.</summary>
    /// <param name="line">The descriptor of the line.</param>
    /// <param name="waiter">That of its other end, if it is here; -1 otherwise.</param>
    public static Job Adopt(int line, int waiter = -1) => new(waiter < 0 ? null : new MessageSocket(waiter), new MessageSocket(line));

    /// <summary>For a machine that is back in this process, in its new shape: if that is the one that waits, it does not yet.</summary>
    /// <param name="helper">Where it was meanwhile.</param>
    public Job Renew(ChildProcess helper)
    {
        Job job = _waiter is null ? this : Create();

        // ORDER: the old line stays as long as the helper has the other end: to it, its end is the end of whoever waits.
        job._reaper = helper.WaitInBackground(then: job == this ? () => { } : Dispose);
        return job;
    }

    /// <summary>The machine has left this process. If that is the one that waits, the machine ends with it from now on, and gets its signals.</summary>
    /// <param name="successor">Where the machine is; null when it comes back at once.</param>
    // ORDER: at once, as taking a machine apart takes its time. Nobody reads it before the end; so it is there for every later process too.
    public void Stay(ChildProcess? successor)
    {
        if (_waiter is not null && !ServiceManager.Listens)
        {
            // What the next process has started becomes our child when that one ends.
            _ = Libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
            _ = _waiter.Send([Waits], default);
            _waiting = successor is null ? null : new JobWaiter(_waiter, successor);
        }
    }

    /// <summary>Runs another program in this process, which takes the machine back from a helper.</summary>
    /// <exception cref="LinuxException">It can't be run.</exception>
    public void Replace(string binary, ChildProcess helper, MessageSocket channel)
    {
        // The new program knows nothing of the helper of last time.
        _reaper?.Join();
        static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
        ProcessImage.Replace(
            binary,
            [binary, LiveUpdate.Command, "--channel", Number(channel.Number), "--job", Number(_line.Number), "--waiter", Number(_waiter?.Number ?? -1), "--helper", Number(helper.Id)],
            _waiter is null ? [channel, _line] : [channel, _line, _waiter]);
    }

    /// <summary>Has <paramref name="end"/> called when the process that waits for this one has been killed.</summary>
    public void Watch(Action end)
    {
        if (_waiter is null)
        {
            new Thread(() => AwaitEnd(end), maxStackSize: 128 << 10) { Name = "job", IsBackground = true }.Start();
        }
    }

    /// <summary>The machine has gone to a process that this one has started.</summary>
    /// <returns>What this process ends with; when another one waits at once, otherwise when the machine has ended.</returns>
    public int HandOver(ChildProcess successor)
    {
        if (ServiceManager.Listens)
        {
            ServiceManager.TellMainProcess(successor.Id);
            return ExitCode.Success;
        }

        if (_waiter is not null)
        {
            _line.Dispose();
            return (_waiting ?? new JobWaiter(_waiter, successor)).Wait();
        }

        Announce(Environment.ProcessId, successor.Id);
        return ExitCode.Success;
    }

    /// <summary>The machine runs here now. The process that it came from says so too, but may have been killed.</summary>
    /// <param name="from">The process that it came from.</param>
    public void Arrive(int from) => Announce(from, Environment.ProcessId);

    public void Dispose()
    {
        _waiter?.Dispose();
        _line.Dispose();
    }

    private void Announce(int from, int to)
    {
        Span<byte> message = stackalloc byte[JobWaiter.MessageSize];
        JobWaiter.Write(message, from, to);
        _ = _line.Send(message, default);
    }

    private void AwaitEnd(Action end)
    {
        _line.WaitForHangUp();

        // It stays there: another process of the machine may be about to look.
        using ByteDescriptor line = new(_line.Number, ownsHandle: false);
        Span<byte> last = stackalloc byte[1];
        if (line.Peek(last) == 1 && last[0] == Waits)
        {
            end();
        }
    }
}
