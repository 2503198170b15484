using Vmm.Testing.Network;

namespace Vmm.Cli.Tests;

/// <summary>Signals at random moments: nothing stays behind, and the terminal's socket can be used again.</summary>
public sealed class KillTests
{
    private const int SIGINT = 2;
    private const int SIGKILL = 9;
    private const int SIGTERM = 15;
    private const int Rounds = 25; // of each of the two tests: 50 kills

    private static readonly int[] _signals = [SIGKILL, SIGTERM, SIGINT];

    public KillTests() => Host.RequireNetwork();

    [Fact]
    public void Demo_KilledAtRandomMoments_LeavesNothing()
    {
        Random random = new(20261123);
        for (int round = 0; round < Rounds; round++)
        {
            int signal = _signals[round % _signals.Length];
            int delay = random.Next(1, 900);
            NamespaceTrace trace = new();
            using VmmProcess process = VmmProcess.Start("demo", "--plain");

            Thread.Sleep(delay);
            trace.Look(process);
            process.Signal(signal);
            int code = process.WaitForExit();

            string what = $"round {round}: signal {signal} after {delay} ms; {process.Output}{process.Error}";
            code.Should().Be(ExitCode.SignalBase + signal, what);
            ExpectNothingLeft(trace, what);
        }
    }

    [Fact]
    public void Run_KilledAtRandomMoments_LeavesNothing()
    {
        using NetworkTestbed network = new();
        using TemporaryFolder folder = new();
        string socket = folder["console"];
        string? known = network.Namespace.Run(() => new FileInfo("/proc/thread-self/ns/net").LinkTarget);
        Random random = new(20261124);
        for (int round = 0; round < Rounds; round++)
        {
            int signal = _signals[round % _signals.Length];
            int delay = random.Next(1, 200);
            NamespaceTrace trace = new();
            DateTime? left = TimeOf(socket);

            // The same names each time: what a killed one might leave would be in the way of the next.
            using VmmProcess process = GuestOnTap.StartProcess(network, net: "queues=2", options: ["--console", $"unix:{socket}"]);
            Thread.Sleep(delay);
            trace.Look(process, known);
            process.Signal(signal);
            int code = process.WaitForExit();

            string what = $"round {round}: signal {signal} after {delay} ms; {process.Output}{process.Error}";
            code.Should().Be(ExitCode.SignalBase + signal, what);
            network.FindLink(GuestOnTap.Interface).Should().BeNull(what);
            ExpectNothingLeft(trace, what);
            if (signal != SIGKILL)
            {
                // What the last one left is there still, if this one did not come to put its own in its place.
                (TimeOf(socket) ?? left).Should().Be(left, what);
            }
        }
    }

    private static DateTime? TimeOf(string file) => File.Exists(file) ? File.GetLastWriteTimeUtc(file) : null;

    private static void ExpectNothingLeft(NamespaceTrace trace, string what)
        // The kernel lets go of a dead thread's namespace a moment after its parent has heard of it.
        => Wait.Until(() => trace.FindLeftover() is null, () => $"the end of {trace.FindLeftover()}; {what}");
}
