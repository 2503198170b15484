using System.Reflection;

namespace Vmm.Cli;

/// <summary>This program's name and version.</summary>
internal static class ProgramVersion
{
    /// <summary>As people see it: <c>vmm 0.1.0</c>.</summary>
    public static string Text { get; } = $"vmm {Assembly.GetExecutingAssembly().GetName().Version?.ToString(3)}";
}
