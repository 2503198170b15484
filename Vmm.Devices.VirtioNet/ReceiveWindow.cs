using Vmm.Core.Memory;
using Vmm.Core.Virtio;

namespace Vmm.Devices.VirtioNet;

/// <summary>
/// The chains that were taken from a receive queue and not used yet, oldest first, with their writable ranges in one list: the back end
/// reads straight into it. Chains are used strictly in order, so that those left over can be given back to the ring.
/// </summary>
internal sealed class ReceiveWindow : IDisposable
{
    private const int Mask = Virtqueue.MaxSupportedSize - 1;

    private readonly DescriptorChain[] _chains = new DescriptorChain[Virtqueue.MaxSupportedSize];
    private readonly ScatterList _readable = new();
    private int _first;

    /// <summary>The ranges of all chains, in order.</summary>
    public ScatterList Ranges { get; } = new();

    public int ChainCount { get; private set; }

    /// <summary>Bytes in all chains.</summary>
    public long Bytes => Ranges.TotalBytes;

    /// <summary>No further chain can be taken before one is used.</summary>
    public bool IsFull { get; private set; }

    /// <summary>
    /// Takes chains until there are <paramref name="wanted"/> bytes or <paramref name="maxChains"/> chains, or the ring is empty.
    /// </summary>
    /// <returns>Null, or how the driver broke the rules.</returns>
    public string? Fill(Virtqueue queue, long wanted, int maxChains)
    {
        IsFull = false;
        while (Bytes < wanted)
        {
            if (ChainCount >= maxChains)
            {
                IsFull = true;
                return null;
            }

            _readable.Clear();
            switch (queue.TryPop(_readable, Ranges, out DescriptorChain chain))
            {
                case PopResult.Taken when chain.WritableBytes == 0:
                    return $"receive chain {chain.Head} has no device-writable buffer";
                case PopResult.Taken:
                    _chains[_first + ChainCount++ & Mask] = chain;
                    break;
                case PopResult.ListFull:
                    IsFull = true;
                    return null;
                case PopResult.Faulty:
                    return queue.Fault;
                default:
                    return null;
            }
        }

        return null;
    }

    /// <summary>How many of the oldest chains a frame of so many bytes fills.</summary>
    public int CountChains(int frameBytes)
    {
        int count = 0;
        for (long room = 0; room < frameBytes; count++)
        {
            room += _chains[_first + count & Mask].WritableBytes;
        }

        return count;
    }

    /// <summary>Hands the chains that hold a frame of so many bytes back as used.</summary>
    public void Use(Virtqueue queue, int frameBytes)
    {
        int ranges = 0;
        uint left = (uint)frameBytes;
        while (left > 0)
        {
            DescriptorChain chain = _chains[_first];
            uint written = Math.Min(left, chain.WritableBytes);
            queue.Push(chain.Head, written);
            left -= written;
            ranges += chain.WritableCount;
            _first = _first + 1 & Mask;
            ChainCount--;
        }

        Ranges.RemoveFirst(ranges);
    }

    /// <summary>Gives all chains back to the ring, unused.</summary>
    public void Return(Virtqueue queue)
    {
        queue.Return(ChainCount);
        Clear();
    }

    public void Clear()
    {
        Ranges.Clear();
        ChainCount = 0;
        IsFull = false;
    }

    public void Dispose()
    {
        Ranges.Dispose();
        _readable.Dispose();
    }
}
