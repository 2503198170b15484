using System.CommandLine;
using Spectre.Console;
using Vmm.Cli.Bench;
using Vmm.Cli.Demo;
using Vmm.Cli.Machines;
using Vmm.Core.Machine;

namespace Vmm.Cli.Commands;

/// <summary><c>vmm bench live-update</c>: many live updates in a row of a guest under traffic.</summary>
internal sealed class BenchLiveUpdateCommand : Command, IExamples
{
    private readonly Option<int> _updates = Number("--updates", "How many.", 100, 1, 1_000_000);

    private readonly Option<string> _memory = new("--memory", "-m") { Description = "The guest's RAM.", HelpName = "size", DefaultValueFactory = _ => "128M" };

    private readonly Option<int> _cpus = Number("--cpus", "The guest's vCPUs.", 1, 1, 4096);

    private readonly Option<int> _queues = Number("--queues", "Queue pairs of its network device.", 1, 1, 16);

    private readonly Option<bool> _vhost = new("--vhost") { Description = "The kernel's vhost-net moves its frames." };

    private readonly Option<string?> _binary = new("--binary") { Description = "The vmm to go on with; the same file as this one by default.", HelpName = "path" };

    private readonly Option<int> _rate = Number("--rate", "Echo requests a second in the steady stream; 0 for none.", 1000, 0, 100_000);

    private readonly Option<int> _inFlight = Number("--in-flight", "Requests in flight of the bulk traffic, on all queue pairs together; 0 for none.", 32, 0, 1024);

    private readonly Option<int> _interval = Number("--interval", "Milliseconds between two updates.", 20, 0, 60_000);

    private readonly Option<bool> _halt = new("--halt") { Description = "The guest sleeps until it is interrupted, instead of polling; then it can't measure its own gap." };

    private readonly Option<string?> _csv = new("--csv") { Description = "A file for one row per update.", HelpName = "file" };

    private readonly Option<string?> _html = new("--html") { Description = "A file for a page with the phases and the distribution as pictures.", HelpName = "file" };

    public BenchLiveUpdateCommand() : base("live-update", "Updates a guest again and again under traffic. It fails if a frame is lost, doubled, reordered or damaged, or anything is left behind.")
    {
        foreach (Option option in (Option[])[_updates, _memory, _cpus, _queues, _vhost, _binary, _rate, _inFlight, _interval, _halt, _csv, _html])
        {
            Add(option);
        }

        foreach (Option option in (Option[])[_memory, _binary, _csv, _html])
        {
            option.Validators.Add(EmptyValue.Refuse);
        }

        SetAction(Run);
    }

    public string Examples => """
        vmm bench live-update
        vmm bench live-update --updates 1000 --queues 4 --csv updates.csv --html updates.html
        vmm bench live-update --in-flight 0 --memory 4G
        """;

    private int Run(ParseResult parsed)
    {
        DemoPrerequisites.Require(parsed, "vmm bench live-update");
        BenchOptions options = new()
        {
            Updates = parsed.GetValue(_updates),
            Memory = parsed.GetRequiredValue(_memory),
            Cpus = parsed.GetValue(_cpus),
            Queues = parsed.GetValue(_queues),
            Vhost = parsed.GetValue(_vhost),
            Binary = Path.GetFullPath(parsed.GetValue(_binary) ?? ProgramFile.Path),
            Rate = parsed.GetValue(_rate),
            InFlight = parsed.GetValue(_inFlight),
            Interval = TimeSpan.FromMilliseconds(parsed.GetValue(_interval)),
            Halt = parsed.GetValue(_halt),
        };
        using TextWriter? csv = Create(parsed, _csv);
        using TextWriter? html = Create(parsed, _html);

        MachineLifetime lifetime = new();
        using StopSignals signals = new(lifetime);
        signals.Catch();
        BenchResult result = Measure(new LiveUpdateBench(options, lifetime), options.Updates);
        if (lifetime.HasEnded)
        {
            return ExitCode.From(lifetime.Completion.GetAwaiter().GetResult(), signals.Received);
        }

        ResultView.Write(result);
        if (result.Samples.Count > 0)
        {
            if (csv is not null)
            {
                SampleFile.Write(csv, result);
            }

            if (html is not null)
            {
                ResultPage.Write(html, result);
            }
        }

        return result.Findings.Count == 0 ? ExitCode.Success : ExitCode.CheckFailed;
    }

    private static BenchResult Measure(LiveUpdateBench bench, int updates)
    {
        if (Console.IsOutputRedirected)
        {
            return bench.Run(_ => { });
        }

        return AnsiConsole.Progress().AutoClear(true).Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new RemainingTimeColumn()).Start(display =>
        {
            ProgressTask task = display.AddTask("boot", maxValue: updates);
            return bench.Run(sample =>
            {
                task.Description = $"update {sample.Number}: {Distribution.Format(sample.Phases.Downtime)} us";
                task.Value = sample.Number;
            });
        });
    }

    /// <summary>Before the measurement: nobody wants to hear afterwards that there is no place for it.</summary>
    private static StreamWriter? Create(ParseResult parsed, Option<string?> option)
    {
        if (parsed.GetValue(option) is not { } path)
        {
            return null;
        }

        try
        {
            return new StreamWriter(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new UserErrorException($"{option.Name} {path} can't be written: {e.Message} Choose a file in a folder that exists and that you may write to.");
        }
    }

    private static Option<int> Number(string name, string description, int standard, int least, int most)
    {
        Option<int> option = new(name) { Description = description, HelpName = "n", DefaultValueFactory = _ => standard };
        option.CustomParser = result =>
        {
            string text = result.Tokens[0].Value;
            if (int.TryParse(text, out int number) && number >= least && number <= most)
            {
                return number;
            }

            result.AddError($"{name} {text} is not a number from {least} to {most}.");
            return 0;
        };
        return option;
    }
}
