using Vmm.Core.Linux;
using Vmm.Core.Memory;

namespace Vmm.Core.Network;

/// <summary>A cable that is plugged in nowhere: nothing ever comes, and what is sent is gone.</summary>
public sealed class NoneBackend : INetworkBackend
{
    private static readonly Queue _queue = new();

    public NoneBackend(int queueCount = 1)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(queueCount);
        QueueCount = queueCount;
    }

    public string Description => "none";

    public int QueueCount { get; }

    public NetworkOffloads SupportedOffloads => NetworkOffloads.None;

    public int? Mtu => null;

    public INetworkQueue GetQueue(int index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)QueueCount, nameof(index));
        return _queue;
    }

    public void SetOffloads(NetworkOffloads offloads)
    {
    }

    public void SetActiveQueues(int count)
    {
    }

    public void Dispose()
    {
    }

    private sealed class Queue : INetworkQueue
    {
        public FileDescriptor? Readiness => null;

        public int MaxFrameSize => INetworkBackend.HeaderSize;

        public int Receive(ScatterList target) => 0;

        public int Transmit(ScatterList source) => (int)source.TotalBytes;
    }
}
