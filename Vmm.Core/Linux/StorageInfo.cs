namespace Vmm.Core.Linux;

/// <summary>What <see cref="StorageFile.GetInfo"/> finds.</summary>
public readonly record struct StorageInfo()
{
    /// <summary>A file, a block device, or something else.</summary>
    public DescriptorKind Kind { get; init; }

    /// <summary>Bytes.</summary>
    public long Size { get; init; }

    /// <summary>Bytes of the unit that a device is addressed in: this one, or the one that a file lies on.</summary>
    public uint LogicalBlock { get; init; } = 512;

    /// <summary>Bytes of the unit that it is best written in.</summary>
    public uint PhysicalBlock { get; init; } = 512;

    public bool IsWritable { get; init; }

    /// <summary>Without the host's page cache (O_DIRECT).</summary>
    public bool IsDirect { get; init; }

    /// <summary>A device: whether it wants to know what is not needed.</summary>
    public bool CanDiscard { get; init; }
}
