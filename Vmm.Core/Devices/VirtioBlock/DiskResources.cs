using Vmm.Core.Linux;
using Vmm.Core.State;

namespace Vmm.Core.Devices.VirtioBlock;

/// <summary>A disk image's open file, with its locks: with it another process goes on with the very same image.</summary>
public struct DiskResources : IDescribed<DiskResources>
{
    /// <summary>Bytes that the source uses of it.</summary>
    internal ulong Size;

    internal FileDescriptor? File;

    public static string StateName => "disk-resources";

    public static void Describe<TVisitor>(ref TVisitor visitor, scoped ref DiskResources state) where TVisitor : IStateVisitor, allows ref struct
    {
        visitor.Field("size", ref state.Size);
        visitor.Descriptor("fd", ref state.File);
    }
}
