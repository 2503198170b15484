using System.Collections;
using System.Reflection;
using System.Runtime.InteropServices;
using Vmm.Core.Linux;
using Vmm.Core.Memory;

namespace Vmm.Migration.Tests.Conformance;

/// <summary>Finds the fields of a struct that its description leaves out: they are the same before and after every row was filled.</summary>
internal static class Unfilled
{
    /// <summary>Names that say that nothing is in them.</summary>
    private static readonly string[] s_padding = ["pad", "reserved", "unused"];

    public static IEnumerable<string> Fields(object? before, object? after, string path = "")
    {
        if (after is null)
        {
            return [path];
        }

        Type type = after.GetType();
        if (type.IsPrimitive || type.IsEnum)
        {
            return after.Equals(before) ? [path] : [];
        }

        if (after is HostBuffer or FileDescriptor)
        {
            return [];
        }

        if (after is Array array)
        {
            object?[] old = [.. ((IEnumerable?)before)?.Cast<object?>() ?? []];
            return array.Cast<object?>().SelectMany((item, i) => Fields(i < old.Length ? old[i] : null, item, $"{path}[{i}]"));
        }

        FieldInfo[] fields = [.. type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)
            .Where(field => !s_padding.Any(word => field.Name.StartsWith(word, StringComparison.Ordinal)))];
        IEnumerable<string>[] missing = [.. fields.Select(field => Fields(before is null ? null : field.GetValue(before), field.GetValue(after), $"{path}.{field.Name}"))];

        // Of a union, one arm is enough.
        return type.StructLayoutAttribute?.Value == LayoutKind.Explicit && missing.Any(arm => !arm.Any()) ? [] : missing.SelectMany(f => f);
    }
}
