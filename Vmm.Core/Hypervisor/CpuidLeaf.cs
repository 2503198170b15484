namespace Vmm.Core.Hypervisor;

/// <summary>What CPUID answers for one leaf.</summary>
/// <param name="Function">EAX.</param>
/// <param name="Index">ECX, when <paramref name="IsIndexed"/>.</param>
/// <param name="IsIndexed">Whether ECX matters.</param>
/// <param name="Eax">The answer's EAX.</param>
/// <param name="Ebx">The answer's EBX.</param>
/// <param name="Ecx">The answer's ECX.</param>
/// <param name="Edx">The answer's EDX.</param>
public sealed record CpuidLeaf(uint Function, uint Index, bool IsIndexed, uint Eax, uint Ebx, uint Ecx, uint Edx);
