using System.Net;
using Vmm.Backends.Tap;
using Vmm.Perf.Compare;

namespace Vmm.Perf.Migration;

/// <summary>
/// Two TAPs on which the host has the same address: who can't hand the first one over gives the new process the second. The host uses
/// the one that came up first, until it goes down.
/// </summary>
internal static class MigrationNetwork
{
    public const string First = Contender.Tap;
    public const string Second = "compare1";

    public static void SetUp()
    {
        NetworkLink.SetUp("lo");
        foreach (string tap in (string[])[First, Second])
        {
            HostTool.Run("ip", "tuntap", "add", "dev", tap, "mode", "tap", "vnet_hdr");
            NetworkLink.AddIPAddress(tap, IPAddress.Parse(Contender.HostAddress), 24);
        }
    }

    /// <summary>The guest is on the first one.</summary>
    public static void UseFirst()
    {
        NetworkLink.SetUp(First, up: false);
        NetworkLink.SetUp(Second, up: false);
        NetworkLink.SetUp(First);
        NetworkLink.SetUp(Second);
    }

    /// <summary>The guest is on the second one now.</summary>
    public static void UseSecond() => NetworkLink.SetUp(First, up: false);
}
