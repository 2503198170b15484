namespace Vmm.Devices.VirtioNet;

/// <summary>
/// Counters of one queue since the device was made. Written under the queue pair's lock, readable from any thread without one.
/// </summary>
public sealed class QueueMetrics
{
    private readonly long[] _drops = new long[Enum.GetValues<DropReason>().Length];
    private long _frames;
    private long _bytes;
    private long _interrupts;
    private long _doorbells;
    private long _waits;
    private long _errors;

    /// <summary>Frames handed on (control queue: commands).</summary>
    public long Frames => Volatile.Read(ref _frames);

    /// <summary>Bytes of those frames, without virtio_net_hdr.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Used-buffer notifications sent to the driver.</summary>
    public long Interrupts => Volatile.Read(ref _interrupts);

    /// <summary>Times that the queue's doorbell woke the I/O thread.</summary>
    public long Doorbells => Volatile.Read(ref _doorbells);

    /// <summary>Times that the queue began to wait: receive for buffers of the guest, transmit for room in the back end.</summary>
    public long Waits => Volatile.Read(ref _waits);

    /// <summary>Reads that the back end failed (receive); commands answered with an error (control).</summary>
    public long Errors => Volatile.Read(ref _errors);

    public long Dropped(DropReason reason) => Volatile.Read(ref _drops[(int)reason]);

    /// <summary>Frames dropped for any reason.</summary>
    public long TotalDropped
    {
        get
        {
            long total = 0;
            for (int i = 0; i < _drops.Length; i++)
            {
                total += Volatile.Read(ref _drops[i]);
            }

            return total;
        }
    }

    internal void CountFrame(long bytes)
    {
        Volatile.Write(ref _frames, _frames + 1);
        Volatile.Write(ref _bytes, _bytes + bytes);
    }

    internal void CountDrop(DropReason reason) => Volatile.Write(ref _drops[(int)reason], _drops[(int)reason] + 1);

    internal void CountInterrupt() => Volatile.Write(ref _interrupts, _interrupts + 1);

    internal void CountDoorbell() => Volatile.Write(ref _doorbells, _doorbells + 1);

    internal void CountWait() => Volatile.Write(ref _waits, _waits + 1);

    internal void CountError() => Volatile.Write(ref _errors, _errors + 1);
}
