using System.Buffers.Binary;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Vmm.Core.Devices.VirtioBlock;
using Vmm.Core.Memory;
using Vmm.Core.Virtio;
using Vmm.Testing.Virtio;

namespace Vmm.Core.Tests.Devices.VirtioBlock;

/// <summary>A guest with a disk: the driver's side in test code, the device on its own threads, an image in a temporary file.</summary>
internal sealed class BlockGuest : IDisposable
{
    public const ulong Base = VirtioFeatures.Version1 | VirtioFeatures.RingIndirectDescriptors | VirtioFeatures.RingEventIndex | VirtioFeatures.RingReset;
    public const ulong Writable = Base | VirtioBlockFeatures.Flush | VirtioBlockFeatures.ConfigWriteCache | VirtioBlockFeatures.Discard | VirtioBlockFeatures.WriteZeroes
        | VirtioBlockFeatures.BlockSize | VirtioBlockFeatures.SegmentMax | VirtioBlockFeatures.SizeMax | VirtioBlockFeatures.Topology;

    public const byte Ok = 0;
    public const byte IoError = 1;
    public const byte Unsupported = 2;

    /// <summary>What the status byte is before the device writes it.</summary>
    public const byte NoStatus = 0xee;

    public const int In = 0;
    public const int Out = 1;
    public const int FlushType = 4;
    public const int GetIdType = 8;
    public const int DiscardType = 11;
    public const int WriteZeroesType = 13;

    private const int PatienceMilliseconds = 20_000;

    private ulong _next;

    public BlockGuest(string path, string options = "", ulong? features = null, int queues = 1, ILogger? log = null)
    {
        DiskDeviceOptions parsed = DiskDeviceOptions.Parse($"path={path}{(options.Length > 0 ? "," : "")}{options}");
        Image = DiskImage.Open(parsed);
        Device = new VirtioBlockDevice(new VirtioBlockConfig("disk0") { Queues = queues, Serial = parsed.Serial ?? "disk0" }, Image, log ?? NullLogger.Instance);
        Driver = new DriverDevice(Device, 64 << 20);
        Start(features ?? (Writable & Driver.OfferedFeatures));
    }

    public DiskImage Image { get; }

    public VirtioBlockDevice Device { get; }

    public DriverDevice Driver { get; }

    public BlockQueueMetrics Metrics => Device.Metrics[0];

    public void Start(ulong features)
    {
        Driver.Start(features).Should().BeTrue();
        _next = Driver.FreeMemory.Value;
    }

    public ulong Allocate(long bytes, ulong alignment = 16)
    {
        ulong at = (_next + alignment - 1) & ~(alignment - 1);
        _next = at + (ulong)bytes;
        return at;
    }

    /// <summary>A header at a place of its own.</summary>
    public DriverBuffer Header(int type, ulong sector)
    {
        byte[] header = new byte[16];
        BinaryPrimitives.WriteInt32LittleEndian(header, type);
        BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(8), sector);
        return DriverBuffer.Readable(Put(header), 16);
    }

    public ulong Put(ReadOnlySpan<byte> bytes, ulong alignment = 16)
    {
        ulong at = Allocate(bytes.Length, alignment);
        Driver.Memory.Write(new GuestAddress(at), bytes);
        return at;
    }

    public byte[] Get(ulong at, int length)
    {
        Driver.Memory.TryGetSpan(new GuestAddress(at), (uint)length, out Span<byte> span).Should().BeTrue();
        return span.ToArray();
    }

    /// <summary>Sends a chain and waits for it; the status byte is at <paramref name="status"/>.</summary>
    public (byte Status, uint Written) Send(ulong status, int queue, params DriverBuffer[] buffers)
    {
        Driver.Memory.Write(new GuestAddress(status), [NoStatus]);
        Driver.Queues[queue].Add(buffers);
        Driver.Notify(queue);
        return Await(status, queue);
    }

    public (byte Status, uint Written) Await(ulong status, int queue = 0)
    {
        Driver.WaitForUsed(queue, out _, out uint written, PatienceMilliseconds).Should().BeTrue("the request is answered");
        return (Get(status, 1)[0], written);
    }

    /// <summary>A request with these data buffers and a status byte.</summary>
    public (byte Status, uint Written) Request(int type, ulong sector, params DriverBuffer[] data)
    {
        ulong status = Allocate(1);
        return Send(status, 0, [Header(type, sector), .. data, DriverBuffer.Writable(status, 1)]);
    }

    public byte Write(ulong sector, ReadOnlySpan<byte> bytes, ulong alignment = 16)
        => Request(Out, sector, DriverBuffer.Readable(Put(bytes, alignment), (uint)bytes.Length)).Status;

    public byte[] Read(ulong sector, int length, ulong alignment = 16)
    {
        ulong at = Allocate(length, alignment);
        Request(In, sector, DriverBuffer.Writable(at, (uint)length)).Should().Be((Ok, (uint)length + 1));
        return Get(at, length);
    }

    public byte Flush() => Request(FlushType, 0).Status;

    /// <summary>A discard or a write-zeroes of these ranges.</summary>
    public byte Ranges(int type, params (ulong Sector, uint Count, uint Flags)[] ranges)
    {
        byte[] bytes = new byte[16 * ranges.Length];
        for (int i = 0; i < ranges.Length; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(16 * i), ranges[i].Sector);
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(16 * i + 8), ranges[i].Count);
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(16 * i + 12), ranges[i].Flags);
        }

        return Request(type, 0, DriverBuffer.Readable(Put(bytes), (uint)bytes.Length)).Status;
    }

    public void Dispose()
    {
        Driver.Dispose();
        Image.Dispose();
    }
}
