using Vmm.Core.Linux;
using Vmm.Core.State;

namespace Vmm.Core.Memory;

/// <summary>Guest RAM as it goes to another process of the same host: nothing is copied.</summary>
public struct GuestMemoryState : IDescribed<GuestMemoryState>
{
    /// <summary>Bytes.</summary>
    public ulong Size;

    /// <summary>Whether it is of huge pages.</summary>
    public bool HugePages;

    /// <summary>The memfd.</summary>
    public FileDescriptor? File;

    public static string StateName => "memory";

    public static void Describe<TVisitor>(ref TVisitor visitor, scoped ref GuestMemoryState state) where TVisitor : IStateVisitor, allows ref struct
    {
        visitor.Field("size", ref state.Size);
        visitor.Field("huge_pages", ref state.HugePages);
        visitor.Descriptor("memfd", ref state.File);
    }
}
