using Vmm.Core.Events;
using Vmm.Core.Virtio;

namespace Vmm.Core.Tests.Virtio;

/// <summary>A device that writes down what its transport asks of it.</summary>
internal sealed class ProbeDevice : IVirtioDevice
{
    private readonly EventFd[] _doorbells = [new(), new()];

    public List<string> Calls { get; } = [];

    public uint DeviceId => 42;

    public ulong OfferedFeatures => 1ul << 3;

    public IReadOnlyList<ushort> MaxQueueSizes { get; } = [64, 16];

    public EventFd GetDoorbell(int queue) => _doorbells[queue];

    public string? RejectFeatures(ulong features) => (features & 1ul << 3) == 0 ? "bit 3 is needed" : null;

    public void ReadConfig(uint offset, Span<byte> data) => data.Fill((byte)offset);

    public void WriteConfig(uint offset, ReadOnlySpan<byte> data)
    {
    }

    public void Activate(IVirtioTransport transport) => Calls.Add("activate");

    public void Restore(IVirtioTransport transport) => Calls.Add("restore");

    public void EnableQueue(int queue) => Calls.Add($"enable queue {queue}");

    public void ResetQueue(int queue) => Calls.Add($"reset queue {queue}");

    public void Reset() => Calls.Add("reset");

    public void Pause() => Calls.Add("pause");

    public void Resume() => Calls.Add("resume");

    public void Dispose()
    {
        foreach (EventFd doorbell in _doorbells)
        {
            doorbell.Dispose();
        }
    }
}
