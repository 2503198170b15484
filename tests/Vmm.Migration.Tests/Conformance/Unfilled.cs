using System.Collections;
using System.Reflection;
using System.Runtime.InteropServices;
using Vmm.Core.Memory;

namespace Vmm.Migration.Tests.Conformance;

/// <summary>Finds the fields of a struct that its description leaves out: they are the same before and after every row was filled.</summary>
internal static class Unfilled
{
    /// <summary>Names that say that nothing is in them.</summary>
    private static readonly string[] s_padding = ["pad", "reserved", "unused"];

    public static IEnumerable<string> Fields(object before, object after, string path = "")
    {
        Type type = after.GetType();
        if (type.IsPrimitive || type.IsEnum)
        {
            return before.Equals(after) ? [path] : [];
        }

        if (after is HostBuffer)
        {
            return [];
        }

        if (after is Array array)
        {
            return array.Cast<object>().Zip(((IEnumerable)before).Cast<object>()).SelectMany((pair, i) => Fields(pair.Second, pair.First, $"{path}[{i}]"));
        }

        FieldInfo[] fields = [.. type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)
            .Where(field => !s_padding.Any(word => field.Name.StartsWith(word, StringComparison.Ordinal)))];
        IEnumerable<string>[] missing = [.. fields.Select(field => Fields(field.GetValue(before)!, field.GetValue(after)!, $"{path}.{field.Name}"))];

        // Of a union, one arm is enough.
        return type.StructLayoutAttribute?.Value == LayoutKind.Explicit && missing.Any(arm => !arm.Any()) ? [] : missing.SelectMany(f => f);
    }
}
