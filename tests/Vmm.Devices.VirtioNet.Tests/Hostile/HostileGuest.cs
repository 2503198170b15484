using System.Text;
using Vmm.Core.Memory;
using Vmm.Core.Virtio;
using Vmm.Devices.VirtioNet.Tests.Harness;
using Vmm.Testing.Virtio;

namespace Vmm.Devices.VirtioNet.Tests.Hostile;

/// <summary>
/// A guest that breaks the rules, and what must hold whatever it does: the device's threads live, it can be reset, and then carries frames.
/// </summary>
/// <remarks>
/// A wild access of the device can't pass unseen: guest RAM lies between inaccessible pages (GuestMemory), so it would end the test process;
/// and a page of guest RAM that no chain names keeps a pattern.
/// </remarks>
internal sealed class HostileGuest : IDisposable
{
    public const ulong Features = NetGuest.Control | VirtioFeatures.RingIndirectDescriptors | VirtioFeatures.RingReset | VirtioNetFeatures.Status;

    private static readonly byte[] Canary = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("not yours, hands off: ", 200))[..4096]);

    private readonly ulong _canary;

    public HostileGuest(ulong features = Features, ulong memory = 16 << 20)
    {
        Guest = new NetGuest(memory: memory);
        MemorySize = memory;
        Guest.Start(features);
        _canary = 0x8_0000;
        Guest.Driver.Memory.Write(new GuestAddress(_canary), Canary);
        Buffers = Guest.Allocate(0x1_0000);
    }

    public NetGuest Guest { get; }

    public DriverDevice Driver => Guest.Driver;

    public ulong MemorySize { get; }

    /// <summary>64 KiB of guest RAM for buffers and indirect tables.</summary>
    public ulong Buffers { get; }

    /// <summary>Rings the doorbell, and gives the receive queue a frame to put somewhere.</summary>
    public void Kick(int queue)
    {
        if (queue == 0)
        {
            Guest.Backend.Queues[0].Inject(NetGuest.Frame(1514));
        }

        Driver.Notify(queue);
    }

    /// <summary>The device asks for a reset: it has seen what is wrong.</summary>
    public void ShouldNeedReset()
    {
        NetGuest.WaitFor(() => (Driver.Status & VirtioStatus.NeedsReset) != 0, "the device asks for a reset");
        Driver.Transport.Metrics.Faults.Should().BeGreaterThan(0);
    }

    /// <summary>The device goes on as if nothing had been wrong.</summary>
    public void ShouldBeUnharmed(int queue)
    {
        long before = DoorbellsOf(queue);
        Driver.Notify(queue);
        NetGuest.WaitFor(() => DoorbellsOf(queue) > before, "the device has looked at the queue again");
        (Driver.Status & VirtioStatus.NeedsReset).Should().Be(0);
    }

    /// <summary>After a reset all is well, and nothing was touched that no chain named.</summary>
    public void ShouldRecover()
    {
        Driver.Memory.TryGetSpan(new GuestAddress(_canary), 4096, out Span<byte> canary);
        canary.SequenceEqual(Canary).Should().BeTrue("no chain has named the canary's page");
        Drain();
        Guest.Start(Features);
        (Driver.Status & VirtioStatus.NeedsReset).Should().Be(0);
        Guest.Command(0, 0, 1).Should().Be(0);
        Guest.ShouldCarryTraffic();
    }

    public void Dispose() => Guest.Dispose();

    private long DoorbellsOf(int queue) => queue switch
    {
        0 => Guest.Received.Doorbells,
        1 => Guest.Transmitted.Doorbells,
        _ => Guest.Device.Metrics.Control.Doorbells,
    };

    /// <summary>What the attack has left in the back end would be the first frame after the reset.</summary>
    private void Drain()
    {
        Driver.Write(VirtioMmioRegister.Status, 0);
        using ScatterList list = new(1);
        using HostBuffer buffer = new(70_000);
        list.TryAdd(buffer, buffer.Length);
        while (Guest.Backend.Queues[0].Receive(list) > 0)
        {
        }

        Guest.Backend.Queues[0].Sent.Clear();
    }
}
