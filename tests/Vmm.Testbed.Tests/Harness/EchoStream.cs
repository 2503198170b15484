using System.Globalization;
using System.Text.RegularExpressions;

namespace Vmm.Testbed.Tests.Harness;

/// <summary>Two pings, to the guest and in it to L1, that go on until they are stopped.</summary>
internal sealed partial class EchoStream : IDisposable
{
    /// <summary>Milliseconds between two requests.</summary>
    private const int Interval = 200;

    private readonly L2 _guest;
    private readonly L1Job _job;

    public EchoStream(L1 machine, L2 guest)
    {
        _guest = guest;
        _guest.Require($"/usr/bin/ping -i 0.2 {Tap.Host} >/run/echoes 2>&1 &"); // ping alone is busybox's
        _job = machine.Start($"ping -i 0.2 {Tap.Guest}");
    }

    /// <summary>Ends them, and fails if a request has no answer, but for the last, whose answers may have been on their way.</summary>
    public void RequireAll()
    {
        RequireAll(_job.Interrupt(TimeSpan.FromSeconds(20)).Output);
        RequireAll(_guest.Require("killall -INT ping; until grep ^rtt /run/echoes; do sleep 0.1; done >/dev/null; sed 's/.*\\(seq=[0-9]* \\).*/\\1/' /run/echoes"));
    }

    public void Dispose() => _job.Kill();

    private static void RequireAll(string output)
    {
        PingReport report = PingReport.Parse(output);
        int[] answers = [.. Sequence().Matches(output).Select(match => int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture))];
        answers.Should().NotBeEmpty(output).And.BeEquivalentTo(Enumerable.Range(1, report.Received), "none is lost, and none comes twice");
        // Still under way: those of the longest round trip, or of a second.
        (report.Sent - report.Received).Should().BeLessThanOrEqualTo(((int)report.Longest + 1000) / Interval, output);
    }

    [GeneratedRegex(@"seq=(\d+) ")]
    private static partial Regex Sequence();
}
