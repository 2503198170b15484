using Vmm.Core.Memory;

namespace Vmm.Core.Hypervisor;

/// <summary>In which state the first vCPU begins.</summary>
public enum CpuMode
{
    /// <summary>PVH: 32-bit protected mode, flat segments, no paging, RBX = start info (Xen PVH ABI, "hvm/start_info.h").</summary>
    Protected32,

    /// <summary>64-bit long mode with the identity map at <see cref="CpuEntry.PageTable"/>, RSI = start info.</summary>
    Long64,
}

/// <summary>Where and how the first vCPU begins.</summary>
/// <param name="Mode">The CPU mode, and with it the convention for the registers.</param>
/// <param name="InstructionPointer">RIP.</param>
/// <param name="StartInfo">The boot protocol's information structure.</param>
/// <param name="PageTable">CR3; used in long mode only.</param>
/// <param name="DescriptorTable">A GDT with flat segments: 0x08 code32, 0x10 data, 0x18 TSS, 0x20 code64.</param>
public sealed record CpuEntry(
    CpuMode Mode,
    GuestAddress InstructionPointer,
    GuestAddress StartInfo,
    GuestAddress PageTable = default,
    GuestAddress DescriptorTable = default)
{
    /// <summary>For people: <c>PVH entry 0x100000</c>, <c>64-bit entry 0x10009e</c>.</summary>
    public string Description => Mode == CpuMode.Protected32 ? $"PVH entry {InstructionPointer}" : $"64-bit entry {InstructionPointer}";
}
