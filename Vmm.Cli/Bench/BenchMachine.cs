using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Tmds.Linux;
using Vmm.Cli.Demo;
using Vmm.Cli.Qmp;
using Vmm.Cli.Qmp.Replies;
using Vmm.Core.Linux;

namespace Vmm.Cli.Bench;

/// <summary><c>vmm run</c> of the demo guest in a process of its own, and the line to its QMP socket, which stays the same from update to update.</summary>
internal sealed class BenchMachine : IDisposable
{
    private const int PatienceMilliseconds = 50_000;

    private static readonly TimeSpan _startLimit = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan _answerLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _endLimit = TimeSpan.FromSeconds(10);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("vmm-bench-");
    private readonly ChildProcess _first;
    private readonly QmpConnection _connection;

    /// <exception cref="UserErrorException">It did not come up.</exception>
    public BenchMachine(DemoNetwork network, BenchOptions options)
    {
        try
        {
            string socket = Path.Combine(_folder.FullName, "qmp");
            string[] arguments =
            [
                "vmm", "run", "--kernel", "demo", "--console", "none", "--name", "bench", "--qmp", socket,
                "--append", options.KernelCommandLine,
                "--memory", options.Memory,
                "--cpus", options.Cpus.ToString(CultureInfo.InvariantCulture),
                "--net", string.Create(CultureInfo.InvariantCulture, $"tap,ifname={DemoNetwork.Interface},queues={options.Queues}{(options.Vhost ? ",vhost=on" : "")}"),
            ];

            // A child inherits the namespace of the thread that starts it.
            _first = network.Namespace.Run(() => ChildProcess.Start(ProgramFile.Path, arguments));
            _connection = Connect(socket);
            Process = FirstProcess;
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The process that was started, and stays.</summary>
    public int FirstProcess => _first.Id;

    /// <summary>The one that runs the guest.</summary>
    public int Process { get; private set; }

    public bool HasEnded => _first.TryWait() is not null;

    /// <summary>One live update.</summary>
    /// <exception cref="QmpException">It did not come about.</exception>
    public MigrationPhases Update(string binary)
    {
        // On a machine that is busy with other things the kernel may take seconds for a new VM; that costs the guest nothing.
        _connection.Execute("migrate-set-parameters", new JsonObject { ["verdict-timeout"] = PatienceMilliseconds, ["prepare-timeout"] = PatienceMilliseconds });
        LiveUpdateReply reply = _connection.Execute("live-update", new JsonObject { ["binary"] = binary }).Deserialize(QmpJson.Default.LiveUpdateReply)!;
        Process = reply.Pid;
        return reply.Phases ?? throw new UserErrorException("The live update's reply has no phases.");
    }

    /// <summary>Ends the machine; the exit code, or null when it does not end.</summary>
    public int? Quit()
    {
        _connection.Execute("quit");
        return WaitForEnd();
    }

    public void Dispose()
    {
        _connection?.Dispose();
        if (_first is not null)
        {
            _first.Signal(LibC.SIGTERM);
            if (WaitForEnd() is null)
            {
                // Whoever runs the guest ends with the one that waits for it.
                _first.Signal(LibC.SIGKILL);
                _first.Wait();
            }
        }

        _folder.Delete(recursive: true);
    }

    private QmpConnection Connect(string socket)
    {
        for (long start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < _startLimit; Thread.Sleep(1))
        {
            if (_first.TryWait() is { } code)
            {
                throw new UserErrorException($"The machine did not start: its process ended with {code}.");
            }

            if (QmpConnection.TryOpen(socket, _answerLimit) is { } connection)
            {
                return connection;
            }
        }

        throw new UserErrorException($"The machine did not start within {_startLimit.TotalSeconds} s.");
    }

    private int? WaitForEnd()
    {
        for (long start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < _endLimit; Thread.Sleep(1))
        {
            if (_first.TryWait() is { } code)
            {
                return code;
            }
        }

        return null;
    }
}
