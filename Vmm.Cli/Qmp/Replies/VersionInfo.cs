using System.Reflection;

namespace Vmm.Cli.Qmp.Replies;

/// <summary>query-version, and the greeting.</summary>
/// <param name="Qemu">The QEMU whose QMP this is: what clients look at to know which replies to expect.</param>
/// <param name="Package">Whose program it really is.</param>
internal sealed record VersionInfo(VersionTriple Qemu, string Package)
{
    public static VersionInfo Current { get; } = new(new VersionTriple(0, 2, 7), $"vmm-{Assembly.GetExecutingAssembly().GetName().Version?.ToString(3)}");
}
