namespace Vmm.Core.Machine.Boot;

/// <summary>A kernel or an initrd before it is in guest RAM: a file, or bytes that were made at start-up.</summary>
public abstract class BootImage : IDisposable
{
    private protected BootImage(string name) => Name = name;

    /// <summary>What messages call it: the path.</summary>
    public string Name { get; }

    /// <summary>Bytes.</summary>
    public abstract ulong Length { get; }

    /// <summary>Whether <paramref name="size"/> bytes from <paramref name="offset"/> on are there.</summary>
    public bool Contains(ulong offset, ulong size) => offset <= Length && size <= Length - offset;

    /// <summary>Fills <paramref name="target"/> from <paramref name="offset"/>; it may lie in guest RAM, no copy is made in between.</summary>
    /// <exception cref="BootException">The image ends before, or can't be read.</exception>
    public abstract void Read(ulong offset, scoped Span<byte> target);

    public virtual void Dispose() => GC.SuppressFinalize(this);

    /// <exception cref="BootException">There is no such file, it is none, or it can't be opened.</exception>
    public static BootImage OpenFile(string path) => new BootFile(path);

    /// <param name="name">What messages call it.</param>
    /// <param name="bytes">The whole image.</param>
    public static BootImage FromBytes(string name, ReadOnlyMemory<byte> bytes) => new BootBytes(name, bytes);
}
