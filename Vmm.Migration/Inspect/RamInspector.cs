using System.Globalization;
using System.Text.Json.Nodes;
using Vmm.Core.State;
using Vmm.Migration.Stream;

namespace Vmm.Migration.Inspect;

/// <summary>Goes over the RAM in a stream: the names and sizes of its blocks.</summary>
internal sealed class RamInspector
{
    public const string Name = "ram";

    private readonly StreamFile _file;
    private readonly JsonObject _sizes = [];

    public RamInspector(StreamFile file, uint version)
    {
        if (version != StreamFormat.RamVersion)
        {
            throw new StateException(Name, $"version {version}, where {StreamFormat.RamVersion} is read here");
        }

        _file = file;
        Result = new JsonObject { ["section sizes"] = _sizes };
    }

    public JsonObject Result { get; }

    /// <summary>Reads one part, up to its end.</summary>
    public void Read()
    {
        RamFlags flags;
        do
        {
            ulong entry = _file.TakeUInt64(Name);
            flags = (RamFlags)(entry & (StreamFormat.PageSize - 1));
            ReadEntry(entry & ~(ulong)(StreamFormat.PageSize - 1), flags);
        }
        while ((flags & RamFlags.End) == 0);
    }

    private void ReadEntry(ulong address, RamFlags flags)
    {
        const RamFlags Known = RamFlags.Zero | RamFlags.MemorySize | RamFlags.Page | RamFlags.End | RamFlags.Continue;
        if (flags == RamFlags.None || (flags & ~Known) != 0)
        {
            throw new StateException(Name, string.Create(CultureInfo.InvariantCulture, $"flags 0x{(ulong)flags:x} at byte {_file.Position - 8} are unknown here"));
        }

        if ((flags & RamFlags.MemorySize) != 0)
        {
            ReadBlocks(address);
        }

        if ((flags & (RamFlags.Zero | RamFlags.Page)) != 0)
        {
            if ((flags & RamFlags.Continue) == 0)
            {
                _ = _file.TakeName(Name);
            }

            _file.Skip((flags & RamFlags.Zero) != 0 ? 1 : StreamFormat.PageSize, Name);
        }
    }

    private void ReadBlocks(ulong total)
    {
        for (ulong sum = 0; sum < total;)
        {
            string name = _file.TakeName(Name);
            ulong size = _file.TakeUInt64(Name);
            if (size == 0 || size > total - sum)
            {
                throw new StateException(Name, $"the block {name} has 0x{size:x} bytes, where 0x{total - sum:x} are left of the sum");
            }

            sum += size;
            _sizes[name] = string.Create(CultureInfo.InvariantCulture, $"0x{size:x16}");
        }
    }
}
