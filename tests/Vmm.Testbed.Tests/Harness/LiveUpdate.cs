using System.Globalization;
using System.Text.RegularExpressions;

namespace Vmm.Testbed.Tests.Harness;

/// <summary>One live update of a guest, which has to succeed.</summary>
/// <param name="Downtime">Microseconds in which the guest stood still.</param>
internal sealed partial record LiveUpdate(double Downtime)
{
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(60);

    /// <summary>Live updates are to succeed however long the host keeps L1 from its CPU.</summary>
    public static void AllowLongPauses(L1 machine, L2 guest)
        => machine.Require($"\"$VMM_BINARY\" qmp {guest.Name} migrate-set-parameters downtime-limit=20000 verdict-timeout=60000 prepare-timeout=60000");

    public static LiveUpdate Do(L1 machine, L2 guest)
    {
        string output = machine.Require($"\"$VMM_BINARY\" live-update {guest.Name}", _limit);
        Match match = DowntimeRow().Match(output);
        match.Success.Should().BeTrue(output);
        return new LiveUpdate(double.Parse(match.Groups[1].Value, NumberStyles.AllowThousands, CultureInfo.InvariantCulture));
    }

    [GeneratedRegex(@"^downtime +([\d,]+)", RegexOptions.Multiline)]
    private static partial Regex DowntimeRow();
}
