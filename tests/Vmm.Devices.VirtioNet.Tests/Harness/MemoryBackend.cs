using Vmm.Core.Memory;
using Vmm.Core.Network;

namespace Vmm.Devices.VirtioNet.Tests.Harness;

/// <summary>A back end in memory: tests put frames in and look at what came out. Frames are with their 12-byte header.</summary>
internal sealed class MemoryBackend : INetworkBackend
{
    public const NetworkOffloads AllOffloads = NetworkOffloads.Checksum | NetworkOffloads.Tso4 | NetworkOffloads.Tso6 | NetworkOffloads.TsoEcn
        | NetworkOffloads.Ufo | NetworkOffloads.Uso4 | NetworkOffloads.Uso6;

    public MemoryBackend(int queues = 1, bool hasReadiness = true, bool hasProcessors = false)
        => Queues = [.. Enumerable.Range(0, queues).Select(_ => new MemoryQueue(hasReadiness) { Processor = hasProcessors ? new MemoryProcessor() : null })];

    public string Description => "memory";

    public MemoryQueue[] Queues { get; }

    public int QueueCount => Queues.Length;

    public NetworkOffloads SupportedOffloads { get; init; } = AllOffloads;

    public int? Mtu { get; init; }

    /// <summary>What the device has asked for last.</summary>
    public NetworkOffloads Offloads { get; private set; }

    public int ActiveQueues { get; private set; }

    /// <summary>Makes SetOffloads and SetActiveQueues throw.</summary>
    public bool Refuses { get; set; }

    public INetworkQueue GetQueue(int index) => Queues[index];

    public void SetOffloads(NetworkOffloads offloads)
    {
        ThrowIfRefusing();
        Offloads = offloads;
    }

    public void SetActiveQueues(int count)
    {
        ThrowIfRefusing();
        ActiveQueues = count;
    }

    public void UseMemory(GuestMemory memory)
    {
        foreach (MemoryQueue queue in Queues.Where(queue => queue.Processor is not null))
        {
            queue.Processor!.Memory = memory;
        }
    }

    public void Dispose()
    {
        foreach (MemoryQueue queue in Queues)
        {
            queue.Dispose();
        }
    }

    private void ThrowIfRefusing()
    {
        if (Refuses)
        {
            throw new IOException("refused by the test");
        }
    }
}
