using Tmds.Linux;
using Vmm.Core.Linux;

namespace Vmm.Core.Events;

/// <summary>A non-blocking eventfd(2): a doorbell that can be rung from any thread, and by the kernel.</summary>
public sealed unsafe class EventFd : FileDescriptor
{
    public EventFd() : base(LinuxException.ThrowIfFailed(LibC.eventfd(0, LibC.EFD_CLOEXEC | LibC.EFD_NONBLOCK), "eventfd", "a doorbell"))
    {
    }

    /// <summary>Rings once.</summary>
    public void Signal()
    {
        ulong one = 1;
        _ = LibC.write(Number, &one, sizeof(ulong));
    }

    /// <summary>Takes all rings since the last call; false when there were none.</summary>
    public bool TryDrain()
    {
        ulong count;
        return LibC.read(Number, &count, sizeof(ulong)) == sizeof(ulong);
    }
}
