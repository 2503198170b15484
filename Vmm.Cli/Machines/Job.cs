using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using Tmds.Linux;
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

    /// <summary>How long a process that has got all that it needs may take to say so.</summary>
    private static readonly TimeSpan s_takeOverLimit = TimeSpan.FromSeconds(10);

    private readonly MessageSocket? _waiter; // here, if this process is the one that waits
    private readonly MessageSocket _line;

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
    public Job Renew() => _waiter is null ? this : Create();

    /// <summary>Runs another program in this process, which takes the machine back from a helper.</summary>
    /// <exception cref="LinuxException">It can't be run.</exception>
    public void Replace(string binary, ChildProcess helper, MessageSocket channel)
    {
        // ORDER: until the machine is back, the helper's ends with this process.
        _ = _waiter?.Send([Waits], default);
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
            return Wait(successor);
        }

        Announce(successor.Id);
        return ExitCode.Success;
    }

    /// <summary>The machine runs here now. The process that it came from says so too, but may have been killed.</summary>
    public void Arrive() => Announce(Environment.ProcessId);

    public void Dispose()
    {
        _waiter?.Dispose();
        _line.Dispose();
    }

    private int Wait(ChildProcess current)
    {
        // ORDER: before the first successor ends: what it has started becomes our child then.
        _ = Libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
        ChildProcess[] running = [current];
        using SignalForwarding forwarding = new(() => running[0]);

        // ORDER: from here on the machine ends with this process. Nobody reads it before that; so it is there for every later process too.
        _ = _waiter!.Send([Waits], default);
        _line.Dispose();
        while (true)
        {
            int code = running[0].Wait();
            if (FindNext(running[0].Id) is not { } next)
            {
                if (running[0].KillingSignal is { } signal)
                {
                    StandardError.WriteLine($"vmm: process {running[0].Id}, which ran the machine, was killed by signal {signal}.");
                }

                return code;
            }

            running[0] = next;
        }
    }

    /// <summary>
    /// Who has the machine after a process that has ended; null when nobody has. One that was killed while it handed over leaves a child, ours
    /// now, that says so as soon as it has the guest, or ends.
    /// </summary>
    private ChildProcess? FindNext(int ended)
    {
        Dictionary<int, ChildProcess> others = [];
        int last = ended;
        long limit = Environment.TickCount64 + (long)s_takeOverLimit.TotalMilliseconds;
        while (true)
        {
            // ORDER: before the line: what a process had to say was said before it ended.
            bool childrenLeft = ChildProcess.TryWaitForAny(out ChildProcess? other);
            if (other is not null)
            {
                others.Add(other.Id, other);
            }

            // Who was there in between, as a helper, does not matter any more.
            while (TryReadNext(out int next))
            {
                last = next;
            }

            if (last != ended)
            {
                return others.GetValueOrDefault(last) ?? new ChildProcess(last);
            }

            if (!childrenLeft || Environment.TickCount64 >= limit)
            {
                return null;
            }

            _ = _waiter!.Wait(LibC.POLLIN, 20);
        }
    }

    private void Announce(int process)
    {
        Span<byte> message = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(message, process);
        _ = _line.Send(message, default);
    }

    private void AwaitEnd(Action end)
    {
        _line.WaitForHangUp();
        Span<byte> last = stackalloc byte[1];
        if (_line.Receive(last, []) == 1 && last[0] == Waits)
        {
            end();
        }
    }

    private bool TryReadNext(out int next)
    {
        Span<byte> message = stackalloc byte[sizeof(int)];
        bool there = _waiter!.Receive(message, []) == message.Length;
        next = there ? BinaryPrimitives.ReadInt32LittleEndian(message) : 0;
        return there;
    }

    /// <summary>Signals to this process are meant for the machine.</summary>
    private sealed class SignalForwarding : IDisposable
    {
        private static readonly int[] _signals = [LibC.SIGHUP, LibC.SIGINT, LibC.SIGTERM, LibC.SIGUSR1];

        private readonly PosixSignalRegistration[] _registrations;

        public SignalForwarding(Func<ChildProcess> target)
            => _registrations = [.. _signals.Select(number => PosixSignalRegistration.Create((PosixSignal)number, context =>
            {
                context.Cancel = true;
                target().Signal(number);
            }))];

        public void Dispose() => Array.ForEach(_registrations, registration => registration.Dispose());
    }
}
