namespace Vmm.Core.Devices.VirtioBlock;

/// <summary>What requests go by.</summary>
/// <param name="Features">Negotiated.</param>
/// <param name="Capacity">Sectors.</param>
/// <param name="WritesThrough">The driver has no cache that it would flush: each write is on the storage when it is answered.</param>
internal sealed record BlockRules(ulong Features, ulong Capacity, bool WritesThrough)
{
    public bool Allows(ulong feature) => (Features & feature) != 0;
}
