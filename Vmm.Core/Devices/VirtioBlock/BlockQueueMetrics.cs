namespace Vmm.Core.Devices.VirtioBlock;

/// <summary>Counters of one request queue since the device was made. Written by its thread, readable from any other without a lock.</summary>
public sealed class BlockQueueMetrics
{
    private long _reads;
    private long _bytesRead;
    private long _writes;
    private long _bytesWritten;
    private long _flushes;
    private long _discards;
    private long _errors;
    private long _malformed;
    private long _interrupts;
    private long _doorbells;

    public long Reads => Volatile.Read(ref _reads);

    public long BytesRead => Volatile.Read(ref _bytesRead);

    public long Writes => Volatile.Read(ref _writes);

    public long BytesWritten => Volatile.Read(ref _bytesWritten);

    public long Flushes => Volatile.Read(ref _flushes);

    /// <summary>Requests to discard or to write zeros.</summary>
    public long Discards => Volatile.Read(ref _discards);

    /// <summary>Requests that the host could not carry out.</summary>
    public long Errors => Volatile.Read(ref _errors);

    /// <summary>Requests that break the rules, those that are not supported included.</summary>
    public long Malformed => Volatile.Read(ref _malformed);

    /// <summary>Used-buffer notifications sent to the driver.</summary>
    public long Interrupts => Volatile.Read(ref _interrupts);

    /// <summary>Times that the doorbell woke the I/O thread.</summary>
    public long Doorbells => Volatile.Read(ref _doorbells);

    internal void CountRead(long bytes)
    {
        Volatile.Write(ref _reads, _reads + 1);
        Volatile.Write(ref _bytesRead, _bytesRead + bytes);
    }

    internal void CountWrite(long bytes)
    {
        Volatile.Write(ref _writes, _writes + 1);
        Volatile.Write(ref _bytesWritten, _bytesWritten + bytes);
    }

    internal void CountFlush() => Volatile.Write(ref _flushes, _flushes + 1);

    internal void CountDiscard() => Volatile.Write(ref _discards, _discards + 1);

    internal void CountError() => Volatile.Write(ref _errors, _errors + 1);

    internal void CountMalformed() => Volatile.Write(ref _malformed, _malformed + 1);

    internal void CountInterrupt() => Volatile.Write(ref _interrupts, _interrupts + 1);

    internal void CountDoorbell() => Volatile.Write(ref _doorbells, _doorbells + 1);
}
