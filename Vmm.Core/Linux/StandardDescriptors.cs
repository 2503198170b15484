using Tmds.Linux;

namespace Vmm.Core.Linux;

/// <summary>
/// Makes sure that 0, 1 and 2 are what everybody takes them for. In a process that was started with one of them closed, something else
/// would be opened under that number, such as the runtime's pipe for signals, and a guest's output would go there.
/// </summary>
public static unsafe class StandardDescriptors
{
    private const int Last = 2;

    /// <summary>Opens /dev/null under each of the three that is closed. To be called before anything else, since whatever is opened takes such a number.</summary>
    /// <returns>False when there is no /dev/null, or when it is too late: nothing may be written then.</returns>
    public static bool TryEnsure()
    {
        for (int fd = 0; fd <= Last; fd++)
        {
            int flags = LibC.fcntl(fd, LibC.F_GETFD);
            if (flags >= 0)
            {
                // What was there at the start is not close-on-exec; what the runtime opens is.
                if ((flags & LibC.FD_CLOEXEC) != 0)
                {
                    return false;
                }

                continue;
            }

            // ORDER: ascending, as open takes the lowest free number. Without O_CLOEXEC: programs that are started here need it as well.
            fixed (byte* path = "/dev/null"u8)
            {
                if (LibC.open(path, LibC.O_RDWR) != fd)
                {
                    return false;
                }
            }
        }

        return true;
    }
}
