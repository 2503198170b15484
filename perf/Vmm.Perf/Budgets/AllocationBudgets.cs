using System.Text.Json;

namespace Vmm.Perf.Budgets;

/// <summary>What <c>perf/budgets.json</c> allows: bytes per operation for each benchmark, or null where memory does not count.</summary>
public sealed class AllocationBudgets
{
    private readonly Dictionary<string, double?> _bytesPerOperation;

    private AllocationBudgets(Dictionary<string, double?> bytesPerOperation) => _bytesPerOperation = bytesPerOperation;

    /// <summary>Type.Method of all entries.</summary>
    public IReadOnlyCollection<string> Benchmarks => _bytesPerOperation.Keys;

    /// <summary>Null: not gated.</summary>
    /// <exception cref="KeyNotFoundException">There is no entry for this benchmark.</exception>
    public double? For(string benchmark) => _bytesPerOperation[benchmark];

    /// <summary>Reads the file that lies beside this assembly.</summary>
    public static AllocationBudgets Load()
    {
        using FileStream file = File.OpenRead(Path.Combine(AppContext.BaseDirectory, "budgets.json"));
        using JsonDocument document = JsonDocument.Parse(file);
        return new AllocationBudgets(document.RootElement.GetProperty("bytesPerOperation").EnumerateObject().ToDictionary(
            entry => entry.Name,
            entry => entry.Value.ValueKind == JsonValueKind.Null ? (double?)null : entry.Value.GetDouble()));
    }
}
