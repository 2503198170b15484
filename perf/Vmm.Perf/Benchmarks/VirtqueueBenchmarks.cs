using BenchmarkDotNet.Attributes;
using Vmm.Core.Memory;
using Vmm.Core.Virtio;
using Vmm.Testing.Virtio;

namespace Vmm.Perf.Benchmarks;

/// <summary>
/// What the device's side of a split virtqueue costs per chain, without the driver's side: the chains stay in the rings, and the
/// driver only moves its available index on, once for a whole ring.
/// </summary>
public class VirtqueueBenchmarks
{
    private const ushort Size = 256;
    private const ulong Buffers = 0x10_0000;
    private const ulong IndirectTables = 0x8_0000;

    private readonly ScatterList _readable = new();
    private readonly ScatterList _writable = new();
    private GuestMemory _memory = null!;
    private DriverQueue _driver = null!;
    private Virtqueue _queue = null!;

    [GlobalSetup(Targets = [nameof(Direct)])]
    public void SetUpDirect() => SetUp(VirtioFeatures.Version1, indirect: false, chainLength: 1);

    [GlobalSetup(Targets = [nameof(DirectTwoBuffers), nameof(DirectTwoBuffersOneByOne)])]
    public void SetUpDirectTwoBuffers() => SetUp(VirtioFeatures.Version1, indirect: false, chainLength: 2);

    [GlobalSetup(Targets = [nameof(IndirectTwoBuffers)])]
    public void SetUpIndirect() => SetUp(VirtioFeatures.Version1 | VirtioFeatures.RingIndirectDescriptors, indirect: true, chainLength: 2);

    [GlobalSetup(Targets = [nameof(EventIndexOneByOne)])]
    public void SetUpEventIndex() => SetUp(VirtioFeatures.Version1 | VirtioFeatures.RingEventIndex, indirect: false, chainLength: 2);

    [GlobalCleanup]
    public void CleanUp() => _memory.Dispose();

    /// <summary>One buffer a chain; the used index is published once for the ring.</summary>
    [Benchmark(OperationsPerInvoke = Size)]
    public int Direct() => Batch(Size);

    /// <summary>Header and data, the usual frame.</summary>
    [Benchmark(OperationsPerInvoke = Size / 2)]
    public int DirectTwoBuffers() => Batch(Size / 2);

    [Benchmark(OperationsPerInvoke = Size)]
    public int IndirectTwoBuffers() => Batch(Size);

    /// <summary>Published, and the driver's wish for an interrupt looked at, after every chain.</summary>
    [Benchmark(OperationsPerInvoke = Size / 2)]
    public int DirectTwoBuffersOneByOne() => OneByOne(Size / 2);

    /// <summary>The same with event indexes, and the doorbell asked for after every chain.</summary>
    [Benchmark(OperationsPerInvoke = Size / 2)]
    public int EventIndexOneByOne() => OneByOne(Size / 2);

    private int Batch(int count)
    {
        _driver.SetAvailableIndex((ushort)(_driver.AvailableIndex + count));
        for (int i = 0; i < count; i++)
        {
            Take(out DescriptorChain chain);
            _queue.Push(chain.Head, chain.WritableBytes);
        }

        _queue.Publish();
        return _queue.NeedsInterrupt() ? 1 : 0;
    }

    private int OneByOne(int count)
    {
        int interrupts = 0;
        _driver.SetAvailableIndex((ushort)(_driver.AvailableIndex + count));
        for (int i = 0; i < count; i++)
        {
            Take(out DescriptorChain chain);
            _queue.Push(chain.Head, chain.WritableBytes);
            _queue.Publish();
            interrupts += _queue.NeedsInterrupt() ? 1 : 0;
            _queue.EnableDoorbell();
        }

        return interrupts;
    }

    private void Take(out DescriptorChain chain)
    {
        _readable.Clear();
        _writable.Clear();
        PopResult result = _queue.TryPop(_readable, _writable, out chain);
        if (result != PopResult.Taken)
        {
            throw new InvalidOperationException($"The queue gave {result} ({_queue.Fault}) where a chain was due.");
        }
    }

    private void SetUp(ulong features, bool indirect, int chainLength)
    {
        _memory = GuestMemory.Create(new GuestMemoryOptions(4 << 20, Populate: true));
        _driver = new DriverQueue(_memory, Size, new GuestAddress(0x1000));
        _queue = new Virtqueue(_memory, Size);
        _queue.State.DescriptorTable = _driver.DescriptorTable;
        _queue.State.AvailableRing = _driver.AvailableRing;
        _queue.State.UsedRing = _driver.UsedRing;
        if (_queue.Open(features) is { } reason)
        {
            throw new InvalidOperationException(reason);
        }

        // Fill the available ring twice over at most: its slots then hold every head, in order, for good.
        Span<DriverBuffer> buffers = stackalloc DriverBuffer[chainLength];
        int chains = indirect ? Size : Size / chainLength;
        for (uint i = 0; i < chains; i++)
        {
            for (uint b = 0; b < chainLength; b++)
            {
                buffers[(int)b] = DriverBuffer.Writable(Buffers + 2048ul * (i * (uint)chainLength + b), 1514);
            }

            if (indirect)
            {
                _driver.AddIndirect(new GuestAddress(IndirectTables + 64ul * i), buffers);
            }
            else
            {
                _driver.Add(buffers);
            }
        }

        RepeatHeads(chains);
    }

    /// <summary>With fewer chains than slots, the rest of the available ring names the same heads again.</summary>
    private void RepeatHeads(int chains)
    {
        for (int i = chains; i < Size; i++)
        {
            if (!_memory.TryRead(_driver.AvailableRing + 4 + 2ul * (uint)(i - chains), out ushort head)
                || !_memory.TryWrite(_driver.AvailableRing + 4 + 2ul * (uint)i, head))
            {
                throw new InvalidOperationException("The available ring is outside of RAM.");
            }
        }

        while (_queue.AvailableCount != 0)
        {
            Take(out DescriptorChain chain);
            _queue.Push(chain.Head, 0);
        }

        _queue.Publish();
    }
}
