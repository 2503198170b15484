namespace Vmm.Migration.Live;

/// <summary>Guest RAM.</summary>
/// <param name="Size">Bytes.</param>
/// <param name="HugePages">Whether it is of huge pages.</param>
public sealed record MemoryManifest(ulong Size, bool HugePages);
