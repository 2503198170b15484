using System.Diagnostics;

namespace Vmm.Cli.Tests.Harness;

internal static class Wait
{
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(30);

    /// <summary>Looks again and again; a limit only so that a broken program does not hang the run.</summary>
    /// <param name="condition">What is waited for.</param>
    /// <param name="what">For the message when it never comes.</param>
    public static void Until(Func<bool> condition, Func<string> what)
    {
        long start = Stopwatch.GetTimestamp();
        while (!condition())
        {
            if (Stopwatch.GetElapsedTime(start) > _limit)
            {
                throw new TimeoutException($"Waited {_limit.TotalSeconds} s in vain for {what()}");
            }

            Thread.Sleep(5);
        }
    }
}
