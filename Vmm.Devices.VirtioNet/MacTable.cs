using Vmm.Core.Network;

namespace Vmm.Devices.VirtioNet;

/// <summary>Addresses that the driver wants to receive.</summary>
internal struct MacTable
{
    /// <summary>As many as QEMU keeps.</summary>
    public const int Capacity = 64;

    public MacAddress[] Entries;
    public int Count;

    /// <summary>The driver asked for more than there is room for: all addresses of the table's kind are let in.</summary>
    public bool Overflowed;

    public static MacTable Empty() => new() { Entries = new MacAddress[Capacity] };

    public readonly bool Contains(MacAddress address) => Overflowed || Entries.AsSpan(0, Count).Contains(address);

    public readonly MacTable Copy() => new() { Entries = [.. Entries], Count = Count, Overflowed = Overflowed };
}
