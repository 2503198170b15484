using Vmm.Core.Hypervisor;

namespace Vmm.Migration.Live;

/// <summary>The vCPUs and what they show to the guest.</summary>
/// <param name="Count">How many.</param>
/// <param name="Leaves">What CPUID answers on the first one.</param>
/// <param name="TscKilohertz">The TSC's frequency, 0 when it is not known.</param>
public sealed record CpuManifest(int Count, IReadOnlyList<CpuidLeaf> Leaves, uint TscKilohertz);
