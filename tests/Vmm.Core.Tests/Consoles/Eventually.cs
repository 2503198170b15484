using System.Diagnostics;

namespace Vmm.Core.Tests.Consoles;

/// <summary>Waits for what another thread will do. The limit only keeps a failing test from hanging.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    public static void Holds(Func<bool> condition, string what)
    {
        long start = Stopwatch.GetTimestamp();
        while (!condition())
        {
            (Stopwatch.GetElapsedTime(start) < Limit).Should().BeTrue("it should hold within the limit: {0}", what);
            Thread.Sleep(1);
        }
    }
}
