using Tmds.Linux;
using Vmm.Core.Linux;

namespace Vmm.Backends.Tap;

/// <summary>Looks up the interface of an adopted descriptor, which may be in another network namespace than this thread.</summary>
internal static class TapNamespace
{
    /// <summary>Null when it is out of reach.</summary>
    public static NetworkLinkInfo? FindLink(TunDescriptor queue, string name)
    {
        using FileDescriptor? target = queue.TryGetNamespace();
        if (target is null)
        {
            // Not allowed to ask. The same name with the same address in this namespace is the interface itself.
            NetworkLinkInfo? link = NetworkLink.Find(name);
            return link?.Address is { } address && address == queue.TryGetMacAddress() ? link : null;
        }

        if (new FileInfo($"/proc/self/fd/{target.Number}").LinkTarget == new FileInfo("/proc/thread-self/ns/net").LinkTarget)
        {
            return NetworkLink.Find(name);
        }

        NetworkLinkInfo? found = null;
        Thread visitor = new(Visit, 256 * 1024) { Name = "tap-namespace" };
        visitor.StartOrExplain();
        visitor.Join();
        return found;

        void Visit()
        {
            try
            {
                found = LibC.setns(target.Number, LibC.CLONE_NEWNET) == 0 ? NetworkLink.Find(name) : null;
            }
            catch (LinuxException)
            {
                // Out of reach, then.
            }
        }
    }
}
