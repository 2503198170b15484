using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Tmds.Linux;
using Vmm.Backends.Tap;

namespace Vmm.Cli.Tests.Harness;

/// <summary>The binary as a process, with what it writes.</summary>
internal sealed class VmmProcess : IDisposable
{
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly StringBuilder _error = new();
    private readonly Task _readers;

    private VmmProcess(Process process)
    {
        _process = process;
        // Threads of their own: a busy test machine's thread pool is slow to grow.
        _readers = Task.WhenAll(Read(process.StandardOutput, _output), Read(process.StandardError, _error));
    }

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    public string Output => Text(_output);

    public string Error => Text(_error);

    /// <summary>Threads of the process now.</summary>
    public IEnumerable<string> ThreadFolders => Directory.EnumerateDirectories($"/proc/{Id.ToString(CultureInfo.InvariantCulture)}/task");

    public static VmmProcess Start(params string[] arguments) => new(Spawn(Host.Binary, arguments));

    /// <summary>Another program that in turn starts the binary.</summary>
    public static VmmProcess StartProgram(string program, params string[] arguments) => new(Spawn(program, arguments));

    /// <summary>Starts it inside of a network namespace.</summary>
    public static VmmProcess StartIn(NetworkNamespace network, params string[] arguments)
        // A child inherits the namespace of the thread that forks.
        => new(network.Run(() => Spawn(Host.Binary, arguments)));

    /// <summary>Starts it, waits for its end and returns the exit code.</summary>
    public static (int ExitCode, string Output, string Error) Run(params string[] arguments)
    {
        using VmmProcess process = Start(arguments);
        int code = process.WaitForExit();
        return (code, process.Output, process.Error);
    }

    /// <summary>Waits for the end; the output is complete then.</summary>
    public int WaitForExit()
    {
        if (!_process.WaitForExit(_limit))
        {
            throw new TimeoutException($"vmm did not end within {_limit.TotalSeconds} s. It wrote:\n{Output}\n{Error}");
        }

        _readers.Wait(_limit);
        return _process.ExitCode;
    }

    /// <summary>Waits until the process has written <paramref name="text"/> on stdout.</summary>
    public void WaitForOutput(string text) => Wait.Until(() => Output.Contains(text, StringComparison.Ordinal) || HasExited, () => $"'{text}' in: {Output}\n{Error}");

    /// <summary>Waits until a shell has written <c>pid=</c> and a process id on stdout.</summary>
    public int WaitForShellsProcessId()
    {
        Match match = Match.Empty;
        Wait.Until(() => (match = Regex.Match(Output, @"pid=(\d+)\s")).Success || HasExited, () => $"a process id in: {Output}\n{Error}");
        match.Success.Should().BeTrue(Output);
        return int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
    }

    public void WaitForError(string text) => Wait.Until(() => Error.Contains(text, StringComparison.Ordinal) || HasExited, () => $"'{text}' in: {Output}\n{Error}");

    public void WriteInput(string text)
    {
        _process.StandardInput.Write(text);
        _process.StandardInput.Flush();
    }

    /// <summary>The process reads an end of file from now on.</summary>
    public void EndInput() => _process.StandardInput.Close();

    /// <param name="signal">A number of signal(7).</param>
    public void Signal(int signal) => _ = LibC.kill(Id, signal);

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
    }

    private static Process Spawn(string program, string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        start.Environment["XDG_RUNTIME_DIR"] = Host.RuntimeFolder;
        return Process.Start(start)!;
    }

    private static Task Read(StreamReader reader, StringBuilder text) => Task.Factory.StartNew(
        () =>
        {
            char[] buffer = new char[4096];
            for (int count; (count = reader.Read(buffer)) > 0;)
            {
                lock (text)
                {
                    text.Append(buffer, 0, count);
                }
            }
        },
        TaskCreationOptions.LongRunning);

    private static string Text(StringBuilder text)
    {
        lock (text)
        {
            return text.ToString();
        }
    }
}
