using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.ExceptionServices;

namespace Vmm.Testbed.Tests.Harness;

/// <summary>
/// The outer machine, and the end of its control channel: <c>tests/Testbed/run --agent</c> passes lines to and from <c>l1/session</c>. A command is a
/// script in a folder that both machines see; the line that names it and the one with its exit code are all that the channel carries.
/// </summary>
public sealed class L1 : IDisposable
{
    private static readonly TimeSpan _bootLimit = TimeSpan.FromSeconds(180);
    private static readonly string[] _complaints = ["BUG:", "Kernel panic", "self-detected stall", "detected stalls on CPUs"];
    private static readonly TimeSpan _endLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan _defaultLimit = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly string _share;
    private readonly ConcurrentDictionary<int, L1Job> _jobs = new();
    private readonly TaskCompletionSource<string> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Exception? _notPutAway;
    private int _count;
    private int _guests;

    /// <param name="share">A folder that is /mnt in L1.</param>
    internal L1(string share)
    {
        _share = share;
        ProcessStartInfo start = new(Path.Combine(SourceTree.Testbed, "run"), ["--share", share, "--agent"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        start.Environment["VMM_BINARY"] = SourceTree.Binary;
        _process = Process.Start(start)!;
        new Thread(ReadLines) { IsBackground = true, Name = "L1" }.Start();
        try
        {
            if (Task.WaitAny([_ready.Task], _bootLimit) < 0)
            {
                throw new TimeoutException($"L1 did not boot within {_bootLimit.TotalSeconds} s. Its console:\n{Console}");
            }

            _ready.Task.GetAwaiter().GetResult();
        }
        catch
        {
            _process.Kill(entireProcessTree: true);
            _process.Dispose();
            throw;
        }
    }

    /// <summary>What L1's kernel printed.</summary>
    public string Console => TextOf(Path.Combine(_share, "console.log"));

    /// <summary>Those that were started and have not ended, as far as is known.</summary>
    internal List<L2> Guests { get; } = [];

    /// <summary>What its kernel says of its own failure: a panic, or a CPU that does not answer, with the trace. Null when there is none.</summary>
    public string? Complaint
    {
        get
        {
            string[] lines = [.. Console.Split('\n').SkipWhile(line => !_complaints.Any(words => line.Contains(words, StringComparison.Ordinal)))];
            return lines.Length > 0 ? string.Join('\n', lines) : null;
        }
    }

    /// <summary>It is of no more use: it has failed or ended, or something could not be put away in it.</summary>
    public bool IsSpoilt => _notPutAway is not null || _process.HasExited || Complaint is not null;

    /// <summary>Runs a bash command and waits for its end.</summary>
    /// <param name="command">One or more lines of bash; standard input is empty.</param>
    /// <param name="limit">A minute by default. A command that takes longer is killed, with what it started, and this throws.</param>
    public JobResult Run(string command, TimeSpan? limit = null) => Start(command).Wait(limit ?? _defaultLimit);

    /// <summary>Runs a command that has to succeed, and returns its output.</summary>
    public string Require(string command, TimeSpan? limit = null) => Run(command, limit).Require(command);

    /// <summary>A name for a new guest: its logs stay when the next one is started.</summary>
    internal string NameGuest() => string.Create(CultureInfo.InvariantCulture, $"guest{Interlocked.Increment(ref _guests)}");

    /// <summary>Starts a bash command, which runs beside others.</summary>
    public L1Job Start(string command)
    {
        int id = Interlocked.Increment(ref _count);
        string folder = Path.Combine(_share, "jobs", id.ToString(CultureInfo.InvariantCulture));
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "script"), command + "\n");
        L1Job job = new(this, folder, command);
        _jobs[id] = job;
        RequireHealth(); // A script for a machine that does not read would wait for ever.
        Send($"run {id}");
        return job;
    }

    /// <summary>What a guest printed on its console.</summary>
    public string ConsoleOf(string guest) => TextOf(Path.Combine(_share, "l2", guest + ".log"));

    public void Dispose()
    {
        if (Complaint is not null)
        {
            _process.Kill(entireProcessTree: true);
        }

        try
        {
            _process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It was lost with something unread.
        }

        if (!_process.WaitForExit(_endLimit))
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
    }

    /// <param name="line">For l1/session.</param>
    internal void Send(string line)
    {
        lock (_process)
        {
            _process.StandardInput.Write(line + "\n");
            _process.StandardInput.Flush();
        }
    }

    internal static string TextOf(string path)
    {
        if (!File.Exists(path))
        {
            return "";
        }

        using StreamReader reader = new(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return reader.ReadToEnd();
    }

    /// <summary>Fails if L1 has: nothing is done there any more.</summary>
    internal void RequireHealth()
    {
        if (_process.HasExited || Complaint is not null)
        {
            throw Lost();
        }
    }

    /// <summary>Ends something in L1 from a Dispose, which does not throw, since that would hide why the scenario failed; <see cref="RequireClean"/> does.</summary>
    internal void PutAway(string command)
    {
        try
        {
            Run(command);
        }
        catch (Exception exception) when (exception is L1LostException or TimeoutException or IOException)
        {
            _notPutAway ??= exception;
        }
    }

    /// <summary>After a scenario: everything was put away, and L1's kernel has nothing to complain of.</summary>
    internal void RequireClean()
    {
        if (_notPutAway is not null)
        {
            ExceptionDispatchInfo.Throw(_notPutAway);
        }

        RequireHealth();
        KernelLog.RequireClean(this);
    }

    private L1LostException Lost() => new(Complaint is { } complaint
        ? $"L1's kernel has failed:\n{complaint}"
        : $"L1 has ended. The end of its console:\n{string.Join('\n', Console.Split('\n').TakeLast(20))}");

    private void ReadLines()
    {
        while (_process.StandardOutput.ReadLine() is { } line)
        {
            string[] words = line.Trim().Split(' ');
            if (words is ["ready", ..])
            {
                _ready.TrySetResult(words[^1]);
            }
            else if (words is [string what, string id, string number] && int.TryParse(id, out int key) && int.TryParse(number, out int value) && _jobs.TryGetValue(key, out L1Job? job))
            {
                job.Tell(what, value);
            }
        }

        L1LostException lost = Lost();
        _ready.TrySetException(lost);
        foreach (L1Job job in _jobs.Values)
        {
            job.Lose(lost);
        }
    }
}
