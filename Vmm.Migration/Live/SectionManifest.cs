namespace Vmm.Migration.Live;

/// <summary>A section of state that will come.</summary>
/// <param name="Name">See <see cref="Core.State.IStateSection.Name"/>.</param>
/// <param name="Instance">See <see cref="Core.State.IStateSection.Instance"/>.</param>
/// <param name="State">The name of the struct.</param>
/// <param name="Version">The newest version that the source can write.</param>
/// <param name="MinimumVersion">The oldest one.</param>
public sealed record SectionManifest(string Name, int Instance, string State, int Version, int MinimumVersion);
