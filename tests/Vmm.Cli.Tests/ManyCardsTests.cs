using System.Net;
using Vmm.Backends.Tap;
using Vmm.Cli.Demo;
using Vmm.Testing.Network;

namespace Vmm.Cli.Tests;

/// <summary>As many network devices as a machine has room for.</summary>
public sealed class ManyCardsTests
{
    private const int Cards = Core.Machine.MachineLayout.MaxVirtioDevices;

    public ManyCardsTests() => Host.RequireNetwork();

    /// <summary>The first, the ninth, and the last, which shares its interrupt's vector with the third.</summary>
    [Fact]
    public void EachOfNineteenCards_IsDrivenAndAnswers()
    {
        int[] wired = [0, 2, 8, Cards - 1];
        string[] options = [.. Enumerable.Range(0, Cards).SelectMany(i => new[] { "--net", wired.Contains(i) ? $"tap,ifname=t{i}" : "none" })];
        string addresses = string.Join(' ', Enumerable.Range(0, Cards).Select(i => $"ip{(i == 0 ? "" : i)}=10.0.{i}.2"));
        using NetworkTestbed network = new();
        using VmmProcess process = VmmProcess.StartIn(network.Namespace, ["run", "--kernel", "demo", "--memory", "64M", "--append", addresses, .. options]);

        process.WaitForOutput("ready");

        process.Output.Split('\n').Count(line => line.Contains(" mac ", StringComparison.Ordinal)).Should().Be(Cards, process.Output);
        foreach (int card in wired)
        {
            network.Namespace.Run(() => NetworkLink.AddIPAddress($"t{card}", IPAddress.Parse($"10.0.{card}.1"), 24));
        }

        // Twice, so that each one sleeps in between and is woken by its own interrupt.
        foreach (int card in (int[])[.. wired, .. wired])
        {
            using IcmpEchoClient ping = network.Namespace.Run(() => new IcmpEchoClient(IPAddress.Parse($"10.0.{card}.2")));
            ping.Run(200, 4, 56, TimeSpan.FromSeconds(5)).IsClean.Should().BeTrue($"card {card}");
        }

        process.Error.Should().BeEmpty();
    }
}
