using Tmds.Linux;
using Vmm.Core.Devices.VirtioBlock;
using Vmm.Core.Events;
using Vmm.Core.Linux;
using Vmm.Core.State;

namespace Vmm.Core.Tests.Devices.VirtioBlock;

/// <summary>An image that fails to flush once, as storage would that fails to write: for a while its descriptor is that of something without storage (EINVAL).</summary>
internal static class FailingFlush
{
    public static void Break(DiskImage image, Action meanwhile)
    {
        FileDescriptor file = ((ResourceSection<DiskResources>)image.CreateResourceSection("disk0")).Value.File!;
        using FileDescriptor kept = file.Duplicate();
        using EventFd other = new();
        LinuxException.ThrowIfFailed(LibC.dup2(other.Number, file.Number), "dup2", "the image");
        try
        {
            meanwhile();
        }
        finally
        {
            LinuxException.ThrowIfFailed(LibC.dup2(kept.Number, file.Number), "dup2", "the image");
        }
    }
}
