using System.Globalization;
using Tmds.Linux;
using Vmm.Core.Linux;

namespace Vmm.Core.Devices.VirtioBlock;

public sealed partial class DiskImage
{
    /// <summary>"QFI\xfb".</summary>
    private static ReadOnlySpan<byte> Qcow2Magic => [(byte)'Q', (byte)'F', (byte)'I', 0xfb];

    /// <summary>Opens the image that <c>--disk</c> names.</summary>
    /// <param name="options">What the user wants.</param>
    /// <param name="arrives">The guest is still run by somebody else, who has the image; see <see cref="Acquire"/>.</param>
    /// <exception cref="DiskImageException">It is no disk, or somebody else uses it.</exception>
    /// <exception cref="LinuxException">A system call failed.</exception>
    public static DiskImage Open(DiskDeviceOptions options, bool arrives = false)
    {
        if (StorageFile.Probe(options.Path) is not (null or DescriptorKind.File or DescriptorKind.Device))
        {
            throw new DiskImageException($"path={options.Path} is neither a regular file nor a block device.");
        }

        FileDescriptor file;
        try
        {
            file = StorageFile.Open(options.Path, !options.ReadOnly, options.Cache == DiskCache.None, advice: null);
        }
        catch (LinuxException e) when (Advise(e.Errno, options) is { } advice)
        {
            throw new LinuxException(e.Call, options.Path, e.Errno, advice);
        }

        try
        {
            DiskImage image = Make(file, options);
            image.Lock(arrives);
            return image;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private static DiskImage Make(FileDescriptor file, DiskDeviceOptions options)
    {
        StorageInfo info = StorageFile.GetInfo(file, options.Path);
        if (info.Kind is not (DescriptorKind.File or DescriptorKind.Device))
        {
            throw new DiskImageException($"path={options.Path} is neither a regular file nor a block device.");
        }

        DiskImage image = new(file, info, options);
        if (image.Size == 0)
        {
            throw new DiskImageException($"path={options.Path} has {info.Size} bytes, less than one block of {image.BlockSize}: give it a size, as with `truncate -s 10G {options.Path}`.");
        }

        image.Warning = image.FindWarning();
        return image;
    }

    private static string? Advise(int errno, DiskDeviceOptions options)
        => errno == LibC.ENOENT ? $"There is no such file; `truncate -s 10G {options.Path}` makes an empty disk of 10 GiB."
            : (errno == LibC.EACCES || errno == LibC.EPERM || errno == LibC.EROFS) && !options.ReadOnly ? "It may not be written here: change its permissions, or say readonly=on."
            : errno == LibC.EINVAL && options.Cache == DiskCache.None ? "Its file system has no O_DIRECT, which cache=none needs: leave cache= out."
            : null;

    private string? FindWarning()
    {
        if (Size != _info.Size)
        {
            return string.Create(CultureInfo.InvariantCulture, $"{_path} has {_info.Size} bytes, no multiple of {BlockSize}: the guest does not see the last {_info.Size - Size}");
        }

        // Of a file without the page cache a whole block is read.
        using Memory.HostBuffer start = new((int)Math.Max(BlockSize, SectorSize), 4096);
        return StorageFile.Read(_file, 0, start.Span) >= Qcow2Magic.Length && start.Span.StartsWith(Qcow2Magic)
            ? $"{_path} begins like a qcow2 image, and is used as plain bytes: convert it with `qemu-img convert -O raw`"
            : null;
    }
}
