using Vmm.Core.Events;
using Vmm.Core.Virtio;
using Vmm.Devices.VirtioNet.Tests.Harness;
using Vmm.Testing;
using Vmm.Testing.Virtio;

namespace Vmm.Devices.VirtioNet.Tests;

/// <summary>The batches run on the test's own thread, as the I/O thread would run them.</summary>
public sealed class AllocationTests
{
    [Theory]
    [InlineData(NetGuest.Base, 2048u, 1)]
    [InlineData(NetGuest.Mergeable | VirtioFeatures.RingEventIndex, 2048u, 1)]
    [InlineData(NetGuest.Mergeable, 500u, 4)]
    public void Receive_EachFrame_AllocatesNothing(ulong features, uint buffer, int chains)
    {
        using MemoryBackend backend = new(hasReadiness: false);
        backend.Queues[0].KeepsFrames = false;
        using NetGuest guest = NetGuest.Started(features, backend);
        byte[] frame = NetGuest.Frame(1514);
        DriverQueue queue = guest.Driver.Queues[0];
        ulong at = guest.Allocate(buffer * (uint)chains);
        QueuePair pair = guest.Device.GetPair(0);
        Settle(guest);

        AllocationMeter meter = new();
        while (meter.WantsMore)
        {
            for (int j = 0; j < chains; j++)
            {
                queue.Add([DriverBuffer.Writable(at + buffer * (ulong)j, buffer)]);
            }

            backend.Queues[0].Repeat(frame);
            meter.Measure(() => pair.OnReceiveDoorbell(ReadyEvents.In));
            for (int j = 0; j < chains; j++)
            {
                queue.TryGetUsed(out _, out _).Should().BeTrue();
            }
        }

        guest.Received.Frames.Should().Be(meter.Steps);
        meter.Least.Should().Be(0);
    }

    [Fact]
    public void Receive_FramesThatWaitOrAreDropped_AllocateNothing()
    {
        using MemoryBackend backend = new();
        using NetGuest guest = NetGuest.Started(NetGuest.Control, backend);
        guest.Command(0, 0, 0).Should().Be(0);
        byte[] wanted = NetGuest.Frame(1514);
        byte[] filtered = NetGuest.Frame(1514, to: new(0x0200_0000_0001));
        DriverQueue queue = guest.Driver.Queues[0];
        ulong at = guest.Allocate(1000);
        QueuePair pair = guest.Device.GetPair(0);
        Settle(guest);

        AllocationMeter meter = new();
        while (meter.WantsMore)
        {
            queue.Add([DriverBuffer.Writable(at, 1000)]);
            backend.Queues[0].Repeat(filtered);
            meter.Measure(() => pair.OnReceiveDoorbell(ReadyEvents.In));
            backend.Queues[0].Repeat(wanted);
            meter.Measure(() => pair.OnReceiveDoorbell(ReadyEvents.In));
            queue.Add([DriverBuffer.Writable(at, 1000)]);
            meter.Measure(() => pair.OnReceiveDoorbell(ReadyEvents.In));
            queue.TryGetUsed(out _, out _).Should().BeTrue();
            queue.TryGetUsed(out _, out _).Should().BeTrue();
        }

        guest.Received.Dropped(DropReason.Filtered).Should().Be(meter.Steps / 3);
        guest.Received.Frames.Should().Be(meter.Steps / 3);
        meter.Least.Should().Be(0);
    }

    [Theory]
    [InlineData(NetGuest.Base, 1)]
    [InlineData(NetGuest.Base | VirtioFeatures.RingEventIndex, 1)]
    [InlineData(NetGuest.Base, 3)]
    public void Transmit_EachFrame_AllocatesNothing(ulong features, int buffers)
    {
        using MemoryBackend backend = new(hasReadiness: false);
        backend.Queues[0].KeepsFrames = false;
        using NetGuest guest = NetGuest.Started(features, backend);
        DriverQueue queue = guest.Driver.Queues[1];
        ulong at = guest.Allocate(2048);
        DriverBuffer[] chain = [.. Enumerable.Range(0, buffers).Select(i => DriverBuffer.Readable(at + 500ul * (uint)i, 500))];
        QueuePair pair = guest.Device.GetPair(0);
        Settle(guest);

        AllocationMeter meter = new();
        while (meter.WantsMore)
        {
            queue.Add(chain);
            meter.Measure(() => pair.OnTransmitDoorbell(ReadyEvents.In));
            queue.TryGetUsed(out _, out _).Should().BeTrue();
        }

        guest.Transmitted.Frames.Should().Be(meter.Steps);
        meter.Least.Should().Be(0);
    }

    /// <summary>Waits until the doorbells that activation rings have been heard, so that the I/O thread sleeps.</summary>
    private static void Settle(NetGuest guest)
        => NetGuest.WaitFor(() => guest.Received.Waits > 0 && guest.Transmitted.Doorbells > 0, "the I/O thread has looked at both queues");
}
