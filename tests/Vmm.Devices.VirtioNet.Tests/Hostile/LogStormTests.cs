using Vmm.Core.Events;
using Vmm.Devices.VirtioNet.Tests.Harness;
using Vmm.Testing.Virtio;

namespace Vmm.Devices.VirtioNet.Tests.Hostile;

/// <summary>What the back end refuses is logged at a limited rate, however often the guest asks for it.</summary>
public sealed class LogStormTests
{
    private const int Rounds = 1000;
    private const int EBADFD = 77;

    [Fact]
    public void Activation_BackendRefusesOffloadsAndQueues_IsLimited()
    {
        CountingLogger log = new();
        using NetGuest guest = new(log: log);
        guest.Backend.Refuses = true;
        for (int i = 0; i < Rounds; i++)
        {
            guest.Start(NetGuest.Mergeable);
        }

        Expect(log, "does not take the offloads", "does not switch to");
    }

    [Fact]
    public void ControlCommands_BackendRefuses_IsLimited()
    {
        const ulong Features = NetGuest.Control | VirtioNetFeatures.MultiQueue;
        CountingLogger log = new();
        using NetGuest guest = new(new MemoryBackend(2), new VirtioNetConfig("net0", NetGuest.Mac) { QueuePairs = 2 }, log: log);
        guest.Start(Features);
        guest.Backend.Refuses = true;
        for (int i = 0; i < Rounds; i++)
        {
            guest.Command(4, 0, 2, 0).Should().Be(1);
        }

        Expect(log, "does not switch to");
    }

    [Fact]
    public void Activation_BackendIsGone_IsLimited()
    {
        CountingLogger log = new();
        using NetGuest guest = new(log: log);
        guest.Backend.Queues[0].ReceiveError = -EBADFD;
        for (int i = 0; i < Rounds; i++)
        {
            guest.Start(NetGuest.Mergeable);
            guest.PostMany(0, 1, 2048);
            guest.Device.GetPair(0).OnReceiveDoorbell(ReadyEvents.In);
        }

        Expect(log, "the back end is gone");
    }

    private static void Expect(CountingLogger log, params string[] messages)
    {
        log.Lines.Should().HaveCountLessThanOrEqualTo(log.Allowed);
        foreach (string message in messages)
        {
            log.Lines.Should().Contain(line => line.Contains(message, StringComparison.Ordinal));
        }
    }
}
