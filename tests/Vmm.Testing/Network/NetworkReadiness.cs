using Tmds.Linux;
using Vmm.Core.Linux;

namespace Vmm.Testing.Network;

public static unsafe class NetworkReadiness
{
    /// <summary>Waits until there is something to read; false when the time is over.</summary>
    public static bool Wait(FileDescriptor file, int timeoutMilliseconds = 2000)
    {
        pollfd entry = new() { fd = file.Number, events = LibC.POLLIN };
        timespec timeout = new() { tv_sec = timeoutMilliseconds / 1000, tv_nsec = timeoutMilliseconds % 1000 * 1_000_000 };
        return LibC.ppoll(&entry, 1, &timeout, null) > 0;
    }
}
