namespace Vmm.Core.Bus;

/// <summary>
/// An address space of device registers: port I/O or MMIO. Reads of addresses where nothing is give all ones, writes go nowhere (open bus).
/// Filled while the machine is built; read-only and free of locks while it runs.
/// </summary>
public sealed class AddressBus(string name)
{
    private readonly record struct Range(ulong Start, ulong Length, IBusDevice Device);

    private Range[] _ranges = [];
    private long _openBusAccesses;

    /// <summary>Accesses that met no device, or reached past one's end.</summary>
    public long OpenBusAccesses => Interlocked.Read(ref _openBusAccesses);

    /// <summary>Puts a device at <paramref name="start"/>.</summary>
    /// <exception cref="ArgumentException">The range is empty, wraps, or overlaps another device.</exception>
    public void Add(ulong start, ulong length, IBusDevice device)
    {
        if (length == 0 || start + length - 1 < start)
        {
            throw new ArgumentException($"{name}: a range of {length} bytes at 0x{start:x} is empty or wraps around.");
        }

        foreach (Range other in _ranges)
        {
            // By last bytes: a range may end with the address space, and its end would be 0.
            if (start <= other.Start + (other.Length - 1) && other.Start <= start + (length - 1))
            {
                throw new ArgumentException($"{name}: 0x{start:x}+0x{length:x} overlaps 0x{other.Start:x}+0x{other.Length:x}.");
            }
        }

        _ranges = [.. _ranges.Append(new Range(start, length, device)).OrderBy(r => r.Start)];
    }

    public void Read(ulong address, Span<byte> data)
    {
        data.Fill(0xff);
        if (Find(address, data.Length, out Range range))
        {
            range.Device.Read(address - range.Start, data);
        }
    }

    public void Write(ulong address, ReadOnlySpan<byte> data)
    {
        if (Find(address, data.Length, out Range range))
        {
            range.Device.Write(address - range.Start, data);
        }
    }

    private bool Find(ulong address, int length, out Range found)
    {
        // A machine has a handful of devices: a scan beats a search.
        foreach (ref readonly Range range in _ranges.AsSpan())
        {
            if (address - range.Start < range.Length && (ulong)length <= range.Length - (address - range.Start))
            {
                found = range;
                return true;
            }
        }

        Interlocked.Increment(ref _openBusAccesses);
        found = default;
        return false;
    }
}
