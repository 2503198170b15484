namespace Vmm.Cli.Qmp.Replies;

/// <summary>An element of query-rx-filter.</summary>
internal sealed record RxFilterInfo(
    bool Promiscuous,
    string Name,
    string MainMac,
    string Unicast,
    string Vlan,
    IReadOnlyList<int> VlanTable,
    IReadOnlyList<string> UnicastTable,
    string Multicast,
    bool MulticastOverflow,
    bool UnicastOverflow,
    IReadOnlyList<string> MulticastTable,
    bool BroadcastAllowed);
