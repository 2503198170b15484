using System.Collections.Concurrent;
using Vmm.Core.Events;
using Vmm.Core.Linux;
using Vmm.Core.Memory;
using Vmm.Core.Network;

namespace Vmm.Devices.VirtioNet.Tests.Harness;

/// <summary>One queue pair of a <see cref="MemoryBackend"/>.</summary>
internal sealed class MemoryQueue(bool hasReadiness) : INetworkQueue, IDisposable
{
    private readonly EventFd _ready = new();
    private readonly Queue<byte[]> _incoming = new();
    private byte[]? _repeated;

    /// <summary>Whether what is sent is kept in <see cref="Sent"/>; keeping allocates.</summary>
    public bool KeepsFrames { get; set; } = true;

    /// <summary>Complete frames that the device has sent.</summary>
    public ConcurrentQueue<byte[]> Sent { get; } = new();

    /// <summary>Frames that Transmit still takes before it has no room.</summary>
    public int Room { get; set; } = int.MaxValue;

    /// <summary>What Transmit answers instead of taking a frame; 0 for nothing.</summary>
    public int TransmitError { get; set; }

    public int ReceiveError { get; set; }

    /// <summary>Bytes of the first two ranges that Receive was last given.</summary>
    public int[] LastTargetStart { get; } = new int[2];

    public FileDescriptor? Readiness => hasReadiness ? _ready : null;

    public int MaxFrameSize { get; set; } = 12 + 65_535 + 14;

    public int Waiting
    {
        get
        {
            lock (_incoming)
            {
                return _incoming.Count;
            }
        }
    }

    /// <summary>What runs the rings, if the test wants one.</summary>
    public MemoryProcessor? Processor { get; init; }

    public IRingProcessor? RingProcessor => Processor;

    /// <summary>Puts a frame (header first) where the device finds it.</summary>
    public void Inject(params byte[][] frames)
    {
        lock (_incoming)
        {
            foreach (byte[] frame in frames)
            {
                _incoming.Enqueue(frame);
            }

            _ready.Signal();
        }
    }

    /// <summary>Offers one frame once, without a wake-up and without allocating.</summary>
    public void Repeat(byte[] frame) => _repeated = frame;

    public int Receive(ScatterList target)
    {
        if (ReceiveError != 0)
        {
            return ReceiveError;
        }

        lock (_incoming)
        {
            LastTargetStart[0] = target.Count > 0 ? target[0].Length : 0;
            LastTargetStart[1] = target.Count > 1 ? target[1].Length : 0;
            byte[]? frame = _repeated;
            _repeated = null;
            if (frame is null && !_incoming.TryDequeue(out frame))
            {
                _ready.TryDrain();
                return 0;
            }

            // As Linux does: the two bytes of num_buffers are skipped, and a frame that does not fit is cut without a word.
            target.CopyFrom(0, frame.AsSpan(0, Math.Min(frame.Length, 10)));
            if (frame.Length > 12)
            {
                target.CopyFrom(12, frame.AsSpan(12));
            }

            return (int)Math.Min(frame.Length, target.TotalBytes);
        }
    }

    public int Transmit(ScatterList source)
    {
        if (TransmitError != 0)
        {
            return TransmitError;
        }

        if (Room == 0)
        {
            return 0;
        }

        Room--;
        if (!KeepsFrames)
        {
            return (int)source.TotalBytes;
        }

        byte[] frame = new byte[source.TotalBytes];
        source.CopyTo(0, frame);
        Sent.Enqueue(frame);
        return frame.Length;
    }

    public void Dispose()
    {
        _ready.Dispose();
        Processor?.Dispose();
    }
}
