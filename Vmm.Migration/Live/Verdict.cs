namespace Vmm.Migration.Live;

/// <summary>The destination's answer to a <see cref="Manifest"/>.</summary>
/// <param name="Program">The destination's program and version, for people.</param>
/// <param name="Reasons">Everything that stands against it, each naming its object and value; empty when it accepts.</param>
/// <param name="Versions">For each section the version that it wants; null when it refuses.</param>
public sealed record Verdict(string Program, IReadOnlyList<string> Reasons, IReadOnlyList<int>? Versions = null)
{
    public bool IsAccepted => Reasons.Count == 0;
}
