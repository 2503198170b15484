using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Vmm.Testbed.Tests.Harness;

/// <summary>What was measured, as results.json and as a table of medians, results.md.</summary>
public sealed class Results
{
    private static readonly JsonSerializerOptions _indented = new() { WriteIndented = true };

    private readonly List<Result> _rows = [];
    private readonly List<string> _repeats = [];

    /// <param name="what">The quantity, with its unit.</param>
    /// <param name="hypervisor">In which column.</param>
    /// <param name="value">One measurement of it.</param>
    public void Add(string what, Hypervisor hypervisor, double value)
    {
        lock (_rows)
        {
            _rows.Add(new Result(what, hypervisor.ToString(), value));
        }
    }

    /// <summary>Says, at once and below the table, that a scenario was run again.</summary>
    internal void AddRepeat(string why)
    {
        Console.WriteLine($"Repeated: {why}");
        lock (_rows)
        {
            _repeats.Add(why.Split('\n')[0]);
        }
    }

    internal void Write(string folder)
    {
        if (_rows.Count == 0)
        {
            return;
        }

        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "results.json"), JsonSerializer.Serialize(_rows, _indented) + "\n");
        StringBuilder text = new("| medians | vmm | QEMU | vmm / QEMU |\n|---|---:|---:|---:|\n");
        foreach (IGrouping<string, Result> row in _rows.GroupBy(result => result.What))
        {
            double? vmm = Median(row, Hypervisor.Vmm);
            double? qemu = Median(row, Hypervisor.Qemu);
            text.Append(CultureInfo.InvariantCulture, $"| {row.Key} | {Text(vmm)} | {Text(qemu)} | {(qemu is 0 ? "" : Text(vmm / qemu))} |\n");
        }

        text.Append(CultureInfo.InvariantCulture, $"\nRuns of a scenario that were repeated because L1's kernel had failed: {_repeats.Count}\n");
        _repeats.ForEach(repeat => text.Append("* ").Append(repeat).Append('\n'));
        File.WriteAllText(Path.Combine(folder, "results.md"), text.ToString());
        Console.WriteLine(text);
    }

    private static double? Median(IEnumerable<Result> rows, Hypervisor hypervisor)
    {
        double[] values = [.. rows.Where(row => row.Hypervisor == hypervisor.ToString()).Select(row => row.Value).Order()];
        return values.Length == 0 ? null : (values[(values.Length - 1) / 2] + values[values.Length / 2]) / 2;
    }

    private static string Text(double? value) => value?.ToString(value < 10 ? "0.00" : "0", CultureInfo.InvariantCulture) ?? "";

    private sealed record Result(string What, string Hypervisor, double Value);
}
