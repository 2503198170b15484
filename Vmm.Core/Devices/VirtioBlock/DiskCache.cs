namespace Vmm.Core.Devices.VirtioBlock;

/// <summary>Who keeps what the guest has written until it flushes: <c>cache=</c>.</summary>
public enum DiskCache
{
    /// <summary><c>writeback</c>: the host's page cache; a flush of the guest goes to the storage.</summary>
    WriteBack,

    /// <summary><c>none</c>: nobody but the storage itself (O_DIRECT).</summary>
    None,

    /// <summary><c>unsafe</c>: the host's page cache, and flushes are not heeded. For disks that are made again if the host fails.</summary>
    Unsafe,
}
