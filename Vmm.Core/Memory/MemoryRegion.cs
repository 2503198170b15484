namespace Vmm.Core.Memory;

/// <summary>One contiguous range of guest RAM, mapped at one place of the host and of the memfd.</summary>
public sealed class MemoryRegion
{
    // SAFETY: the owning GuestMemory keeps the mapping alive; only code in Memory/ dereferences this.
    internal readonly unsafe byte* Host;

    internal unsafe MemoryRegion(GuestAddress start, ulong size, ulong fileOffset, byte* host)
    {
        Start = start;
        Size = size;
        FileOffset = fileOffset;
        Host = host;
    }

    public GuestAddress Start { get; }

    /// <summary>Bytes.</summary>
    public ulong Size { get; }

    public GuestAddress End => Start + Size;

    /// <summary>Where the region begins in the memfd, in bytes.</summary>
    public ulong FileOffset { get; }

    /// <summary>The host's virtual address, as a hypervisor's memory slot and vhost's table want it. Not for access.</summary>
    public unsafe ulong HostAddress => (ulong)Host;
}
