using Tmds.Linux;

namespace Vmm.Core.Linux;

/// <summary>Tells the descriptors that whoever started this process passed on from those that it has opened itself since.</summary>
public static class InheritedDescriptors
{
    /// <summary>True for an open descriptor that came through execve(2).</summary>
    /// <remarks>Close-on-exec ones do not, and what is opened in this process, by the runtime too, is close-on-exec.</remarks>
    public static bool Contains(int fd) => LibC.fcntl(fd, LibC.F_GETFD) is >= 0 and int flags && (flags & LibC.FD_CLOEXEC) == 0;
}
