namespace Vmm.Core.Tests.Devices.VirtioBlock;

/// <summary>A file with a pattern that each sector has of its own.</summary>
internal sealed class ImageFile : IDisposable
{
    private readonly DirectoryInfo _folder;

    /// <param name="size">Bytes.</param>
    /// <param name="parent">Where its folder is made; null for the usual place.</param>
    public ImageFile(long size = 4 << 20, string? parent = null)
    {
        _folder = parent is null ? Directory.CreateTempSubdirectory("vmm-disk-") : Directory.CreateDirectory(System.IO.Path.Combine(parent, System.IO.Path.GetRandomFileName()));
        Path = System.IO.Path.Combine(_folder.FullName, "disk.img");
        using FileStream file = File.Create(Path);
        file.Write(Pattern(0, (int)size));
    }

    public string Path { get; }

    public static byte[] Pattern(ulong sector, int length)
    {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++)
        {
            ulong at = sector * 512 + (ulong)i;
            bytes[i] = (byte)(at / 512 * 31 + at % 512 * 7 + 1);
        }

        return bytes;
    }

    public byte[] Bytes(ulong sector, int length)
    {
        using FileStream file = new(Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        file.Position = (long)sector * 512;
        byte[] bytes = new byte[length];
        file.ReadExactly(bytes);
        return bytes;
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
