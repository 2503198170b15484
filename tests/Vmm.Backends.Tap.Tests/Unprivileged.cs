using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Vmm.Core.Linux;

namespace Vmm.Backends.Tap.Tests;

/// <summary>Runs code on a thread without capabilities, optionally with another user's access to files: privileges belong to the thread.</summary>
internal static unsafe partial class Unprivileged
{
    private const uint _LINUX_CAPABILITY_VERSION_3 = 0x20080522;
    private const int Nobody = 65534;

    public static void Run(Action action, bool asNobody = false)
    {
        Exception? failure = null;
        Thread thread = new(() =>
        {
            try
            {
                if (asNobody)
                {
                    _ = setfsgid(Nobody);
                    _ = setfsuid(Nobody);
                }

                uint* header = stackalloc uint[] { _LINUX_CAPABILITY_VERSION_3, 0 };
                uint* none = stackalloc uint[] { 0, 0, 0, 0, 0, 0 };
                LinuxException.ThrowIfFailed(capset(header, none), "capset", "a test's thread");
                action();
            }
            catch (Exception e)
            {
                failure = e;
            }
        });
        thread.Start();
        thread.Join();
        if (failure is not null)
        {
            ExceptionDispatchInfo.Throw(failure);
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int capset(uint* header, uint* data);

    [LibraryImport("libc")]
    private static partial int setfsuid(int id);

    [LibraryImport("libc")]
    private static partial int setfsgid(int id);
}
