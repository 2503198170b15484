namespace Vmm.Core.Virtio;

/// <summary>Counters of one transport since its construction.</summary>
/// <param name="QueueInterrupts">Used-buffer notifications that were asked for.</param>
/// <param name="Coalesced">Those that found the line raised already.</param>
/// <param name="Resets">Device resets by the driver.</param>
/// <param name="Faults">Times that the driver broke the rules of a queue.</param>
/// <param name="BadAccesses">Register accesses of a wrong width, offset or direction.</param>
public readonly record struct VirtioMmioMetrics(long QueueInterrupts, long Coalesced, long Resets, long Faults, long BadAccesses);
