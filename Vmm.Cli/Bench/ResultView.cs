using System.Globalization;
using Spectre.Console;
using Vmm.Cli.Demo;

namespace Vmm.Cli.Bench;

/// <summary>The result on the console; to a pipe or a file as Markdown.</summary>
internal static class ResultView
{
    public static void Write(BenchResult result)
    {
        BenchOptions options = result.Options;
        Console.Out.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{result.Samples.Count:N0} live updates in {result.Elapsed.TotalSeconds:N1} s: {options.Cpus} vCPU, {options.Memory}, {options.Queues} queue pairs{(options.Vhost ? " on vhost" : "")}, the guest {(options.Halt ? "sleeps when idle" : "polls")}"));
        Console.Out.WriteLine();
        if (result.Samples.Count > 0)
        {
            AnsiConsole.Write(Phases(result));
            Console.Out.WriteLine();
        }

        foreach ((string name, string text) in Facts(result))
        {
            Console.Out.WriteLine($"{name,-10} {text}");
        }

        Console.Out.WriteLine();
        IReadOnlyList<string> findings = result.Findings;
        if (findings.Count == 0)
        {
            Console.Out.WriteLine("nothing was lost, and nothing is left");
        }

        foreach (string finding in findings)
        {
            Console.Out.WriteLine($"WRONG      {finding}");
        }
    }

    /// <summary>What was counted, by what it is about.</summary>
    public static IEnumerable<(string Name, string Text)> Facts(BenchResult result)
    {
        if (result.Echo is { } echo)
        {
            yield return ("echo", string.Create(CultureInfo.InvariantCulture, $"{echo.Sent:N0} requests, {result.Options.Rate:N0} a second: {Counts(echo)}"));
        }

        if (result.Bulk is { } bulk)
        {
            yield return ("bulk", string.Create(
                CultureInfo.InvariantCulture, $"{bulk.Sent:N0} requests in {result.Flows} flows, {result.Options.InFlight} in flight, {bulk.PerSecond:N0} a second: {Counts(bulk)}"));
        }

        if (result.Status is { } status)
        {
            yield return ("guest", string.Create(
                CultureInfo.InvariantCulture,
                $"memory check: {status.CheckPasses:N0} passes, {status.CheckErrors} errors; its clock went back {status.ClockErrors} times, and was at most {result.Clock.Deviation:N0} us off the host's"));
        }

        if (result.Measures.FirstOrDefault(measure => measure.Name == "blackout").Values is { } blackouts && blackouts.Count(double.IsNaN) is > 0 and var unknown)
        {
            yield return ("blackout", string.Create(CultureInfo.InvariantCulture, $"not known of {unknown:N0} updates: the guest was away too often to remember"));
        }

        yield return ("machine", Growth(result.Machine));
        yield return ("waiter", Growth(result.Waiter));
        yield return ("processes", $"{result.ProcessesLeft} of earlier updates left");
    }

    private static string Counts(EchoReport report) => $"{report.Lost} lost, {report.Duplicated} duplicated, {report.Reordered} reordered, {report.Corrupted} damaged";

    private static string Growth((Footprint First, Footprint Last) process) => string.Create(
        CultureInfo.InvariantCulture,
        $"first to last: {process.First.Descriptors} to {process.Last.Descriptors} open files, {process.First.Memfds} to {process.Last.Memfds} memfds, "
        + $"{process.First.Threads} to {process.Last.Threads} threads, {process.First.PrivateBytes >> 10:N0} to {process.Last.PrivateBytes >> 10:N0} KiB");

    private static Table Phases(BenchResult result)
    {
        Table table = new() { Border = Console.IsOutputRedirected ? TableBorder.Markdown : TableBorder.Rounded };
        table.AddColumn("us");
        foreach (string column in (string[])["min", "median", "p95", "p99", "max"])
        {
            table.AddColumn(new TableColumn(column).RightAligned());
        }

        foreach ((string name, IReadOnlyList<double> values) in result.Measures)
        {
            table.AddRow([name, .. new Distribution(values).Summary.Select(Distribution.Format)]);
        }

        return table;
    }
}
