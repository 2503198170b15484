using System.Globalization;
using System.Text.RegularExpressions;

namespace Vmm.Testbed.Tests.Harness;

/// <summary>Two pings, to the guest and in it to L1, that go on until they are stopped.</summary>
internal sealed partial class EchoStream
{
    private readonly L2 _guest;
    private readonly L1Job _job;

    public EchoStream(L1 machine, L2 guest)
    {
        _guest = guest;
        _guest.Require($"ping -i 0.2 {Tap.Host} >/run/echoes 2>&1 &");
        _job = machine.Start($"ping -i 0.2 {Tap.Guest}");
    }

    /// <summary>Ends them, and fails if one has no answer to a request before its last answer.</summary>
    public void RequireAll()
    {
        RequireAll(_job.Interrupt(TimeSpan.FromSeconds(20)).Output);
        RequireAll(_guest.Require("killall -INT ping; sleep 0.5; cat /run/echoes"));
    }

    private static void RequireAll(string output)
    {
        HashSet<int> answers = [.. Sequence().Matches(output).Select(match => int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture))];
        answers.Should().NotBeEmpty(output);
        Enumerable.Range(answers.Min(), answers.Max() - answers.Min() + 1).Except(answers).Should().BeEmpty("no echo is lost");
    }

    // iputils' and busybox's.
    [GeneratedRegex(@"bytes from .* (?:icmp_)?seq=(\d+) ")]
    private static partial Regex Sequence();
}
