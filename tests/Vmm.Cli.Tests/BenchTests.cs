using System.Globalization;

namespace Vmm.Cli.Tests;

/// <summary>vmm bench live-update, from its door to its files.</summary>
public sealed class BenchTests : IDisposable
{
    private const int Updates = 10;

    private static readonly string[] _phases = ["verdict", "prepare", "pause", "save", "send", "load", "apply", "run", "downtime", "blackout", "guest gap", "quiet gap", "echo gap"];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void LiveUpdate_TenTimesOnFourQueuePairs_LosesNothingAndLeavesNothing()
    {
        Host.RequireNetwork();
        (int code, string output, string error) = VmmProcess.Run(
            "bench", "live-update", "--updates", $"{Updates}", "--queues", "4", "--memory", "64M", "--csv", _folder["samples.csv"], "--html", _folder["page.html"]);

        code.Should().Be(0, output + error);
        error.Should().BeEmpty();
        string[] rows = [.. output.Split('\n').Where(line => line.StartsWith("| ", StringComparison.Ordinal)).Skip(2)];
        rows.Select(row => row.Split('|')[1].Trim()).Should().Equal(_phases);
        foreach (string row in rows)
        {
            double[] numbers = [.. row.Split('|', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Skip(1).Select(cell => double.Parse(cell, CultureInfo.InvariantCulture))];
            numbers.Should().HaveCount(5).And.BeInAscendingOrder(row).And.OnlyContain(number => number > 0, row);
        }

        output.Should().Contain("in 4 flows").And.Contain("0 of earlier updates left").And.EndWith("nothing was lost, and nothing is left\n");
        output.Split('\n').Count(line => line.EndsWith(": 0 lost, 0 duplicated, 0 reordered, 0 damaged", StringComparison.Ordinal)).Should().Be(2, output);
        ExpectSamples(File.ReadAllLines(_folder["samples.csv"]));
        ExpectPage(File.ReadAllText(_folder["page.html"]));
    }

    [Fact]
    public void LiveUpdate_ToWhatIsNoVmm_SaysSoAndFails()
    {
        Host.RequireNetwork();
        (int code, string output, string error) = VmmProcess.Run("bench", "live-update", "--updates", "3", "--memory", "64M", "--binary", "/bin/true", "--in-flight", "0", "--halt");

        code.Should().Be(ExitCode.CheckFailed, output + error);
        output.Should().StartWith("0 live updates").And.MatchRegex("(?m)^WRONG +update 1: .*the peer has closed the channel");
    }

    [Theory]
    [InlineData("--updates 0", "--updates 0 is not a number from 1 to 1000000.")]
    [InlineData("--queues 17", "--queues 17 is not a number from 1 to 16.")]
    [InlineData("--csv /no/such/folder/file", "--csv /no/such/folder/file can't be written: ")]
    public void LiveUpdate_WrongOption_IsRefused(string option, string reason)
    {
        Host.RequireNetwork();
        (int code, string output, string error) = VmmProcess.Run(["bench", "live-update", .. option.Split(' ')]);

        code.Should().BeOneOf(ExitCode.Usage, ExitCode.HostError);
        output.Should().BeEmpty();
        error.Should().StartWith($"vmm: {reason}");
        if (code == ExitCode.Usage)
        {
            error.Should().EndWith("See `vmm bench live-update --help`.\n");
        }
    }

    private static void ExpectSamples(string[] lines)
    {
        string[] columns = lines[0].Split(',');
        columns.Should().StartWith(["update", "process"]).And.Contain(_phases.Select(name => name.Replace(' ', '_')));
        lines.Should().HaveCount(Updates + 1);
        lines.Skip(1).Select(line => line.Split(',')[0]).Should().Equal(Enumerable.Range(1, Updates).Select(i => $"{i}"));
        lines.Skip(1).Select(line => line.Split(',')[1]).Should().OnlyHaveUniqueItems("each update has a process of its own");
        lines.Should().OnlyContain(line => line.Split(',').Length == columns.Length);
        foreach (string[] cells in lines.Skip(1).Select(line => line.Split(',')))
        {
            // What the phases of the cut come to is the downtime.
            double Sum(params string[] names) => names.Sum(name => double.Parse(cells[columns.IndexOf(name)], CultureInfo.InvariantCulture));
            Sum("pause", "save", "send", "load", "apply", "run").Should().BeApproximately(Sum("downtime"), 0.1);
        }
    }

    private static void ExpectPage(string page)
    {
        page.Should().StartWith("<!doctype html>").And.EndWith("</body></html>\n");
        page.Should().Contain("<svg").And.Contain("Nothing was lost").And.NotContain("NaN").And.NotContain("Infinity");
        page.Should().NotContain("http").And.NotContain("src=").And.NotContain("@import").And.NotContain("<link", "it needs nothing else");
        page.Split("<tr>").Should().HaveCountGreaterThan(_phases.Length);
    }
}
