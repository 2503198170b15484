using System.Diagnostics;

namespace Vmm.Testbed.Tests.Harness;

/// <summary>A command in L1.</summary>
public sealed class L1Job
{
    private static readonly TimeSpan _look = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _startLimit = TimeSpan.FromSeconds(20);

    private readonly L1 _machine;
    private readonly string _folder;
    private readonly string _command;
    private readonly TaskCompletionSource<int> _group = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<int> _exit = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal L1Job(L1 machine, string folder, string command)
    {
        _machine = machine;
        _folder = folder;
        _command = command;
    }

    public bool HasExited => _exit.Task.IsCompleted;

    /// <summary>Its standard output up to now.</summary>
    public string Output => L1.TextOf(Path.Combine(_folder, "stdout"));

    public string Error => L1.TextOf(Path.Combine(_folder, "stderr"));

    /// <summary>Waits for its end; after <paramref name="limit"/> it is killed, with its children, and this throws.</summary>
    public JobResult Wait(TimeSpan limit)
    {
        for (long start = Stopwatch.GetTimestamp(); Task.WaitAny([_exit.Task], _look) < 0;)
        {
            _machine.RequireHealth();
            if (Stopwatch.GetElapsedTime(start) < limit)
            {
                continue;
            }

            Kill();
            throw new TimeoutException($"Not done in L1 within {limit.TotalSeconds} s: {_command}\n{Output}\n{Error}");
        }

        _machine.RequireHealth(); // What a kernel that fails lets a command do says nothing.
        return new JobResult(_exit.Task.GetAwaiter().GetResult(), Output, Error);
    }

    /// <summary>Sends SIGINT to it and its children, and waits for the end.</summary>
    public JobResult Interrupt(TimeSpan limit)
    {
        _machine.Run($"kill -INT -- -{_group.Task.GetAwaiter().GetResult()}");
        return Wait(limit);
    }

    /// <summary>Ends it and its children.</summary>
    public void Kill()
    {
        if (HasExited || Task.WaitAny([_group.Task], _startLimit) < 0 || !_group.Task.IsCompletedSuccessfully)
        {
            return;
        }

        try
        {
            _machine.Send($"kill {_group.Task.Result}");
        }
        catch (IOException)
        {
            // It went with L1.
        }
    }

    internal void Tell(string what, int value)
    {
        switch (what)
        {
            case "started":
                _group.TrySetResult(value);
                break;
            case "exit":
                _exit.TrySetResult(value);
                break;
        }
    }

    internal void Lose(Exception reason)
    {
        _group.TrySetException(reason);
        _exit.TrySetException(reason);
    }
}
