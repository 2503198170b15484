using Vmm.Core.Linux;
using Vmm.Core.State;

namespace Vmm.Core.Devices.VirtioBlock;

/// <summary>A disk image's open file, with its lock: with it another process goes on with the very same image.</summary>
public struct DiskResources : IDescribed<DiskResources>
{
    /// <summary>Bytes that the source uses of it.</summary>
    internal ulong Size;

    /// <summary>The source has not given the image up; see <see cref="DiskImage.IsLocked"/>.</summary>
    internal bool Locked;

    internal FileDescriptor? File;

    public static string StateName => "disk-resources";

    public static void Describe<TVisitor>(ref TVisitor visitor, scoped ref DiskResources state) where TVisitor : IStateVisitor, allows ref struct
    {
        visitor.Field("size", ref state.Size);
        visitor.Field("locked", ref state.Locked);
        visitor.Descriptor("fd", ref state.File);
    }
}
