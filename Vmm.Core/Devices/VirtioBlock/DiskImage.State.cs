using System.Globalization;
using Vmm.Core.Linux;
using Vmm.Core.State;

namespace Vmm.Core.Devices.VirtioBlock;

// Moving to another process with the file as it is.
public sealed partial class DiskImage : ITransferableBackend
{
    private bool _cameOpen;

    /// <inheritdoc/>
    public bool IsOwner { get; set; } = true;

    /// <summary>The name of the section that <see cref="CreateResourceSection"/> makes.</summary>
    public static string GetResourceName(string id) => $"{id}/disk-resources";

    /// <inheritdoc/>
    public IStateSection CreateResourceSection(string id) => new ResourceSection<DiskResources>(GetResourceName(id), new DiskResources { Size = (ulong)Size, Locked = IsLocked, File = _file });

    /// <inheritdoc/>
    public IStateSection? CreateStateSection(string id) => null;

    /// <summary>
    /// Takes over what another process has sent; the descriptor belongs to the image when this returns. The other process's guest still uses it.
    /// </summary>
    /// <exception cref="DiskImageException">The descriptor is not what the options say.</exception>
    public static DiskImage Adopt(in DiskResources resources, DiskDeviceOptions options)
    {
        FileDescriptor file = resources.File!;
        StorageInfo info = StorageFile.GetInfo(file, options.Path);
        if (info.IsWritable == options.ReadOnly || info.IsDirect != (options.Cache == DiskCache.None))
        {
            throw new DiskImageException($"path={options.Path}: the descriptor that came is open {(info.IsWritable ? "for writing" : "for reading only")}, "
                + $"{(info.IsDirect ? "without" : "with")} the page cache, which does not fit {options.Format()}.");
        }

        DiskImage image = Make(file, options);
        if ((ulong)image.Size < resources.Size)
        {
            throw new DiskImageException(string.Create(CultureInfo.InvariantCulture, $"path={options.Path}: the descriptor that came has {image.Size} bytes, the source uses {resources.Size}."));
        }

        // What locks there are came with the open file.
        image._cameOpen = true;
        image.IsOwner = false;
        image.IsLocked = resources.Locked;
        image.IsGivenUp = !resources.Locked;
        return image;
    }
}
