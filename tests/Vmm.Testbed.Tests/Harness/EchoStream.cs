using System.Globalization;
using System.Text.RegularExpressions;

namespace Vmm.Testbed.Tests.Harness;

/// <summary>A ping that goes on until it is stopped.</summary>
internal sealed partial class EchoStream(L1 machine)
{
    private readonly L1Job _job = machine.Start($"ping -i 0.2 {Tap.Guest}");

    /// <summary>Ends it.</summary>
    /// <returns>How many answers came, and how many of those up to the last one did not.</returns>
    public (int Received, int Lost) Stop()
    {
        string output = _job.Interrupt(TimeSpan.FromSeconds(20)).Output;
        HashSet<int> answers = [.. Sequence().Matches(output).Select(match => int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture))];
        return (answers.Count, answers.DefaultIfEmpty().Max() - answers.Count);
    }

    [GeneratedRegex(@"bytes from .* icmp_seq=(\d+) ")]
    private static partial Regex Sequence();
}
