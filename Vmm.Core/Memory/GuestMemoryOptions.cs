namespace Vmm.Core.Memory;

/// <summary>How guest RAM is backed.</summary>
/// <param name="Size">Bytes; a multiple of the page size.</param>
/// <param name="HugePages">Back it by 2 MiB pages of the host's hugetlb pool.</param>
/// <param name="Populate">Touch every page before the guest starts.</param>
public sealed record GuestMemoryOptions(ulong Size, bool HugePages = false, bool Populate = false);
