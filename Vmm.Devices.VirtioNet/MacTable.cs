using Vmm.Core.Network;
using Vmm.Core.State;

namespace Vmm.Devices.VirtioNet;

/// <summary>Addresses that the driver wants to receive.</summary>
internal struct MacTable : IDescribed<MacTable>
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

    public static string StateName => "mac-table";

    public static void Describe<TVisitor>(ref TVisitor visitor, scoped ref MacTable state) where TVisitor : IStateVisitor, allows ref struct
    {
        visitor.Field("overflowed", ref state.Overflowed);
        visitor.Count("count", ref state.Count, Capacity);
        Span<byte> addresses = stackalloc byte[Capacity * MacAddress.Length];
        for (int i = 0; i < Capacity; i++)
        {
            state.Entries[i].CopyTo(addresses[(i * MacAddress.Length)..]);
        }

        visitor.Bytes("addresses", addresses);
        for (int i = 0; visitor.IsLoading && i < Capacity; i++)
        {
            state.Entries[i] = MacAddress.Read(addresses[(i * MacAddress.Length)..]);
        }
    }
}
