using System.Text;
using Tmds.Linux;

namespace Vmm.Core.Linux;

/// <summary>
/// Lines on descriptor 2, by write(2) alone. The runtime's Console needs descriptors and a thread of its own at its first line, which may be
/// the very ones that could not be had.
/// </summary>
public static unsafe class StandardError
{
    private const int Number = 2;

    /// <summary>
    /// Writes the text and a line feed in one call where the kernel takes it whole. Where nobody reads, it is lost. Names that it quotes may come
    /// from anybody: what would be a command to a terminal is shown as a question mark.
    /// </summary>
    public static void WriteLine(string text)
    {
        ReadOnlySpan<byte> rest = Encoding.UTF8.GetBytes(string.Concat(text.Select(c => char.IsControl(c) && c is not ('\n' or '\r' or '\t') ? '?' : c)) + "\n");
        while (!rest.IsEmpty)
        {
            nint written;
            fixed (byte* bytes = rest)
            {
                written = (nint)LibC.write(Number, bytes, rest.Length);
            }

            if (written >= 0)
            {
                rest = rest[(int)written..];
            }
            else if (LibC.errno == LibC.EAGAIN)
            {
                pollfd room = new() { fd = Number, events = LibC.POLLOUT };
                _ = Libc.poll(&room, 1, -1);
            }
            else if (LibC.errno != LibC.EINTR)
            {
                return;
            }
        }
    }
}
