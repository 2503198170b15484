using Tmds.Linux;

namespace Vmm.Core.Linux;

/// <summary>The kernel's random numbers (getrandom(2)).</summary>
public static unsafe class HostRandom
{
    /// <summary>Fills the bytes. How many it was: all, unless the kernel has none to give.</summary>
    public static int Fill(Span<byte> bytes)
    {
        int done = 0;
        fixed (byte* start = bytes)
        {
            while (done < bytes.Length)
            {
                // SAFETY: what is left of a pinned span.
                nint part = Libc.getrandom(start + done, (nuint)(bytes.Length - done), 0);
                if (part > 0)
                {
                    done += (int)part;
                }
                else if (LibC.errno != LibC.EINTR)
                {
                    break;
                }
            }
        }

        return done;
    }
}
