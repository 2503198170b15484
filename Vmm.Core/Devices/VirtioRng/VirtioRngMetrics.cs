namespace Vmm.Core.Devices.VirtioRng;

/// <summary>Counters since the device was made. Written under the device's lock, readable from any thread without one.</summary>
public sealed class VirtioRngMetrics
{
    private long _requests;
    private long _bytes;
    private long _malformed;
    private long _interrupts;

    /// <summary>Buffers that were handed back with random bytes.</summary>
    public long Requests => Volatile.Read(ref _requests);

    /// <summary>Random bytes that the guest was given.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Chains that the device may not write to, handed back as they were.</summary>
    public long Malformed => Volatile.Read(ref _malformed);

    /// <summary>Used-buffer notifications sent to the driver.</summary>
    public long Interrupts => Volatile.Read(ref _interrupts);

    internal void CountRequest(int bytes)
    {
        Volatile.Write(ref _requests, _requests + 1);
        Volatile.Write(ref _bytes, _bytes + bytes);
    }

    internal void CountMalformed() => Volatile.Write(ref _malformed, _malformed + 1);

    internal void CountInterrupt() => Volatile.Write(ref _interrupts, _interrupts + 1);
}
