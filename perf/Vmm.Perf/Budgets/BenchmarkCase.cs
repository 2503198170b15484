using System.Reflection;
using BenchmarkDotNet.Attributes;

namespace Vmm.Perf.Budgets;

/// <summary>
/// One benchmark method with one set of parameters, run without BenchmarkDotNet: the same set-up, body and clean-up, so that what the
/// allocation gate measures can't drift from what is benchmarked.
/// </summary>
public sealed class BenchmarkCase
{
    private const int Rounds = 5;

    private readonly MethodInfo _method;
    private readonly IReadOnlyList<KeyValuePair<PropertyInfo, object?>> _parameters;

    private BenchmarkCase(MethodInfo method, IReadOnlyList<KeyValuePair<PropertyInfo, object?>> parameters)
    {
        _method = method;
        _parameters = parameters;
    }

    /// <summary>Type.Method: the key in the budgets.</summary>
    public string Benchmark => $"{_method.DeclaringType!.Name}.{_method.Name}";

    /// <summary>The key and the parameters.</summary>
    public string Name => _parameters.Count == 0 ? Benchmark : $"{Benchmark}({string.Join(", ", _parameters.Select(p => $"{p.Key.Name}: {p.Value}"))})";

    /// <summary>Why it can't run here, or null.</summary>
    public string? Missing => _method.DeclaringType!.GetCustomAttributes<RequiresAttribute>().Select(r => r.Missing()).FirstOrDefault(m => m is not null);

    /// <summary>All benchmarks of this assembly with all values of their parameters.</summary>
    public static IReadOnlyList<BenchmarkCase> All { get; } =
    [
        .. from type in typeof(BenchmarkCase).Assembly.GetTypes()
           from method in type.GetMethods()
           where method.IsDefined(typeof(BenchmarkAttribute))
           from parameters in Combinations([.. type.GetProperties().Where(p => p.IsDefined(typeof(ParamsAttribute)))])
           select new BenchmarkCase(method, parameters),
    ];

    /// <summary>
    /// Bytes that one operation allocates on the managed heap, in all threads: the least of some rounds, since other threads of
    /// the process (a test runner's) count too.
    /// </summary>
    /// <param name="minimumOperations">Operations in a round, at least.</param>
    public double MeasureBytesPerOperation(int minimumOperations)
    {
        object instance = Activator.CreateInstance(_method.DeclaringType!)!;
        foreach ((PropertyInfo property, object? value) in _parameters)
        {
            property.SetValue(instance, value);
        }

        Hook<GlobalSetupAttribute>(instance, a => a.Targets);
        try
        {
            Func<int> body = CreateBody(instance);
            int perInvocation = _method.GetCustomAttribute<BenchmarkAttribute>()!.OperationsPerInvoke;
            int invocations = (minimumOperations + perInvocation - 1) / perInvocation;
            Run(body, invocations);
            long least = long.MaxValue;
            for (int i = 0; i < Rounds; i++)
            {
                long before = GC.GetTotalAllocatedBytes(precise: true);
                Run(body, invocations);
                least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
            }

            return (double)least / ((double)invocations * perInvocation);
        }
        finally
        {
            Hook<GlobalCleanupAttribute>(instance, a => a.Targets);
        }
    }

    private static void Run(Func<int> body, int invocations)
    {
        for (int i = 0; i < invocations; i++)
        {
            body();
        }
    }

    private Func<int> CreateBody(object instance)
    {
        if (_method.ReturnType == typeof(int))
        {
            return _method.CreateDelegate<Func<int>>(instance);
        }

        Action action = _method.CreateDelegate<Action>(instance);
        return () =>
        {
            action();
            return 0;
        };
    }

    private void Hook<T>(object instance, Func<T, string[]> targets) where T : Attribute
    {
        foreach (MethodInfo hook in _method.DeclaringType!.GetMethods())
        {
            if (hook.GetCustomAttribute<T>() is { } attribute && (targets(attribute).Length == 0 || targets(attribute).Contains(_method.Name)))
            {
                hook.Invoke(instance, BindingFlags.DoNotWrapExceptions, null, null, null);
            }
        }
    }

    private static IEnumerable<IReadOnlyList<KeyValuePair<PropertyInfo, object?>>> Combinations(PropertyInfo[] properties)
    {
        IEnumerable<IReadOnlyList<KeyValuePair<PropertyInfo, object?>>> all = [[]];
        foreach (PropertyInfo property in properties)
        {
            object?[] values = property.GetCustomAttribute<ParamsAttribute>()!.Values;
            all = [.. from one in all from value in values select (IReadOnlyList<KeyValuePair<PropertyInfo, object?>>)[.. one, new(property, value)]];
        }

        return all;
    }
}
