using Vmm.Devices.VirtioNet.Tests.Harness;

namespace Vmm.Devices.VirtioNet.Tests;

public sealed class ReceiveTests
{
    [Fact]
    public void Receive_OneChain_HoldsTheFrame()
    {
        using NetGuest guest = NetGuest.Started(NetGuest.Base);
        guest.PostMany(0, 4, 2048);
        byte[] frame = NetGuest.Frame(1000);

        guest.Backend.Queues[0].Inject(frame);

        byte[] got = guest.TakeFrame();
        got[12..].Should().Equal(frame[12..]);
        got[10..12].Should().Equal([1, 0], "virtio 1.2 section 5.1.6.4.1: num_buffers is 1");
    }

    [Fact]
    public void Receive_MergedAcrossChains_SaysHowMany()
    {
        using NetGuest guest = NetGuest.Started();
        guest.PostMany(0, 100, 300);
        byte[] frame = NetGuest.Frame(9000);

        guest.Backend.Queues[0].Inject(frame);

        byte[] got = guest.TakeFrame();
        got[12..].Should().Equal(frame[12..]);
        got[10..12].Should().Equal([31, 0], "9012 bytes fill 31 buffers of 300");
    }
}
