using System.Diagnostics;

namespace Vmm.Testbed.Tests.Harness;

/// <summary>A command in L1.</summary>
public sealed class L1Job
{
    private static readonly TimeSpan _look = TimeSpan.FromSeconds(1);

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
        for (long start = Stopwatch.GetTimestamp(); !_exit.Task.Wait(_look);)
        {
            _machine.RequireHealth();
            if (Stopwatch.GetElapsedTime(start) < limit)
            {
                continue;
            }

            Kill();
            throw new TimeoutException($"Not done in L1 within {limit.TotalSeconds} s: {_command}\n{Output}\n{Error}");
        }

        return new JobResult(_exit.Task.Result, Output, Error);
    }

    /// <summary>Sends SIGINT to it and its children, and waits for the end.</summary>
    public JobResult Interrupt(TimeSpan limit)
    {
        _machine.Run($"kill -INT -- -{_group.Task.Result}");
        return Wait(limit);
    }

    /// <summary>Ends it and its children.</summary>
    public void Kill()
    {
        if (!HasExited && _group.Task.IsCompletedSuccessfully)
        {
            _machine.Send($"kill {_group.Task.Result}");
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
