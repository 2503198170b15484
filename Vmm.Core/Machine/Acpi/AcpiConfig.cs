namespace Vmm.Core.Machine.Acpi;

/// <summary>What the tables tell of a machine that differs from one to the next.</summary>
/// <param name="CpuCount">vCPUs, whose APIC ids are their numbers.</param>
/// <param name="Devices">The virtio-mmio devices.</param>
internal sealed record AcpiConfig(int CpuCount, IReadOnlyList<VirtioMmioSlot> Devices);
