using Vmm.Core.State;
using Vmm.Migration.Live;

namespace Vmm.Migration.Stream;

/// <summary>A whole machine in a stream: what both its writer and its reader go by.</summary>
/// <remarks>
/// <code>
/// header, configuration
/// FULL  0 manifest     a manifest, as JSON
/// START 1 ram          block list, EOS
/// PART  1 ram          pages, EOS                       any number of times
/// END   1 ram          pages, EOS
/// FULL  2 remainder    how many bytes follow
/// FULL  3...           one for each of the machine's sections
/// 00, description
/// </code>
/// A page that is not there is zero.
/// </remarks>
public static class MachineStream
{
    internal const uint ManifestNumber = 0;
    internal const uint RamNumber = 1;
    internal const uint RemainderNumber = 2;
    internal const uint FirstStateNumber = 3;

    internal static readonly StateKind<ManifestState> ManifestKind = new(version: 1, example: () => new() { Json = new byte[1] });
    internal static readonly StateKind<RemainderState> RemainderKind = new(version: 1);

    /// <summary>What the sections beside RAM and the machine's own are made of, those of a local migration's messages included.</summary>
    public static IReadOnlyList<StateKind> StateKinds { get; } = [ManifestKind, RemainderKind, TimesSection.Kind];
}
