namespace Vmm.Migration.Live;

/// <summary>What CPUID answers for one leaf.</summary>
/// <param name="Function">EAX.</param>
/// <param name="Index">ECX, where it matters.</param>
public sealed record CpuidLeaf(uint Function, uint Index, uint Eax, uint Ebx, uint Ecx, uint Edx);
