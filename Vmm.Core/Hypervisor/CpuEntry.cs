using Vmm.Core.Machine;
using Vmm.Core.Memory;

namespace Vmm.Core.Hypervisor;

/// <summary>In which state the first vCPU begins.</summary>
public enum CpuMode
{
    /// <summary>PVH: 32-bit protected mode, flat segments, no paging, RBX = start info (Xen PVH ABI, "hvm/start_info.h").</summary>
    Protected32,

    /// <summary>64-bit long mode with the identity map at <see cref="CpuEntry.PageTable"/>, RSI = start info.</summary>
    Long64,

    /// <summary>The same with RSI = zero page and Linux' own selectors (Documentation/arch/x86/boot.rst, "64-bit Boot Protocol").</summary>
    Linux64,
}

/// <summary>Where and how the first vCPU begins.</summary>
/// <param name="Mode">The CPU mode, and with it the convention for the registers.</param>
/// <param name="InstructionPointer">RIP.</param>
/// <param name="StartInfo">The boot protocol's information structure.</param>
/// <param name="PageTable">CR3; used in long mode only.</param>
/// <param name="DescriptorTable">A GDT with flat segments: 0x08 code32, 0x10 data, 0x18 TSS, 0x20 code64; for Linux 0x10 code64, 0x18 data, 0x20 TSS.</param>
public sealed record CpuEntry(
    CpuMode Mode,
    GuestAddress InstructionPointer,
    GuestAddress StartInfo,
    GuestAddress PageTable = default,
    GuestAddress DescriptorTable = default)
{
    /// <summary>For people: <c>PVH entry 0x100000</c>, <c>64-bit entry 0x10009e</c>.</summary>
    public string Description => Mode switch
    {
        CpuMode.Protected32 => $"PVH entry {InstructionPointer}",
        CpuMode.Linux64 => $"64-bit Linux entry {InstructionPointer}",
        _ => $"64-bit entry {InstructionPointer}",
    };

    /// <summary>With the structures of <see cref="MachineLayout"/>.</summary>
    public static CpuEntry ForPvh(GuestAddress instructionPointer)
        => new(CpuMode.Protected32, instructionPointer, new GuestAddress(MachineLayout.StartInfo), DescriptorTable: new GuestAddress(MachineLayout.DescriptorTable));

    /// <inheritdoc cref="ForPvh"/>
    public static CpuEntry ForLongMode(GuestAddress instructionPointer)
        => new(CpuMode.Long64, instructionPointer, new GuestAddress(MachineLayout.StartInfo), new GuestAddress(MachineLayout.PageTable), new GuestAddress(MachineLayout.DescriptorTable));

    /// <inheritdoc cref="ForPvh"/>
    public static CpuEntry ForLinux(GuestAddress instructionPointer)
        => ForLongMode(instructionPointer) with { Mode = CpuMode.Linux64, StartInfo = new GuestAddress(MachineLayout.ZeroPage) };
}
