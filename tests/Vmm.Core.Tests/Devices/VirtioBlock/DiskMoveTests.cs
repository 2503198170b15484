using Microsoft.Extensions.Logging.Abstractions;
using Vmm.Core.Devices.VirtioBlock;
using Vmm.Core.Memory;
using Vmm.Core.State;
using Vmm.Core.Virtio;
using Vmm.Testing.Virtio;
using static Vmm.Core.Tests.Devices.VirtioBlock.BlockGuest;

namespace Vmm.Core.Tests.Devices.VirtioBlock;

public sealed class DiskMoveTests : IDisposable
{
    private readonly ImageFile _file = new();

    [Fact]
    public void Move_WithRequestsInTheRing_TheyAreDoneThere()
    {
        using BlockGuest guest = new(_file.Path);
        guest.Driver.Transport.Write((ulong)VirtioMmioRegister.Config + 32, [0]);
        guest.Read(0, 512);
        guest.Driver.AcknowledgeInterrupt();
        guest.Driver.Queues[0].SetUsedEvent(1);
        guest.Driver.Transport.Pause();
        ulong status = guest.Allocate(1);
        ulong at = guest.Put(ImageFile.Pattern(99, 1024));
        guest.Driver.Memory.Write(new GuestAddress(status), [NoStatus]);
        guest.Driver.Queues[0].Add([guest.Header(Out, 10), DriverBuffer.Readable(at, 1024), DriverBuffer.Writable(status, 1)]);
        guest.Driver.Notify(0);

        using DiskImage image = Adopt(guest.Image, _file.Path);
        VirtioBlockDevice device = new(new VirtioBlockConfig("disk0"), image, NullLogger.Instance);
        using DeviceMove move = new(guest.Driver, device, guest.Device.CreateStateSection(), device.CreateStateSection());

        guest.Await(status).Status.Should().Be(Ok);
        _file.Bytes(10, 1024).Should().Equal(ImageFile.Pattern(99, 1024));
        move.Line.Wait(TimeSpan.FromSeconds(20)).Should().BeTrue("the driver waits for this one");
        byte[] config = new byte[60];
        move.Transport.Read((ulong)VirtioMmioRegister.Config, config);
        config.Should().Equal(guest.Driver.ReadConfig(0, 60), "the guest's cache setting among it");
        config[32].Should().Be(0);
        device.Metrics[0].Writes.Should().Be(1);
        guest.Metrics.Writes.Should().Be(0);
    }

    /// <summary>At any moment of a long request: it is done here or there, and in the end it is done.</summary>
    [Fact]
    public void Move_InTheMiddleOfARequest_LosesNothing()
    {
        for (int i = 0; i < 20; i++)
        {
            using ImageFile file = new(3 << 20);
            using BlockGuest guest = new(file.Path);
            byte[] bytes = ImageFile.Pattern(77, 2 << 20);
            ulong at = guest.Put(bytes, 4096);
            ulong status = guest.Allocate(1);
            guest.Driver.Memory.Write(new GuestAddress(status), [NoStatus]);
            guest.Driver.Queues[0].Add([guest.Header(Out, 8), DriverBuffer.Readable(at, 2 << 20), DriverBuffer.Writable(status, 1)]);
            guest.Driver.Queues[0].Add([guest.Header(FlushType, 0), DriverBuffer.Writable(status, 1)]);
            guest.Driver.Notify(0);
            Thread.SpinWait(i * 1500);
            guest.Driver.Transport.Pause();

            using DiskImage image = Adopt(guest.Image, file.Path);
            VirtioBlockDevice device = new(new VirtioBlockConfig("disk0"), image, NullLogger.Instance);
            using DeviceMove move = new(guest.Driver, device, guest.Device.CreateStateSection(), device.CreateStateSection());
            guest.Await(status).Status.Should().Be(Ok);
            guest.Await(status).Status.Should().Be(Ok);

            guest.Driver.Queues[0].TryGetUsed(out _, out _).Should().BeFalse();
            file.Bytes(8, 2 << 20).AsSpan().SequenceEqual(bytes).Should().BeTrue();
            (guest.Metrics.Writes + device.Metrics[0].Writes).Should().Be(1);
            (guest.Metrics.Flushes + device.Metrics[0].Flushes).Should().Be(1);
        }
    }

    [Fact]
    public void Move_AfterAFlushThatFailed_TheNextOneFailsToo()
    {
        using BlockGuest guest = new(_file.Path);
        FailingFlush.Break(guest.Image, () => guest.Flush().Should().Be(IoError));
        guest.Flush().Should().Be(IoError);
        guest.Write(1, ImageFile.Pattern(5, 512)).Should().Be(Ok);
        guest.Driver.Transport.Pause();

        using DiskImage image = Adopt(guest.Image, _file.Path);
        VirtioBlockDevice device = new(new VirtioBlockConfig("disk0"), image, NullLogger.Instance);
        using DeviceMove move = new(guest.Driver, device, guest.Device.CreateStateSection(), device.CreateStateSection());
        image.Flush().Should().Be(-Tmds.Linux.LibC.EINVAL);
    }

    [Fact]
    public void Move_ToASmallerImage_IsRefused()
    {
        using ImageFile small = new(1 << 20);
        using BlockGuest guest = new(_file.Path);
        guest.Driver.Transport.Pause();
        using DiskImage image = DiskImage.Open(DiskDeviceOptions.Parse($"path={small.Path}"));
        using VirtioBlockDevice device = new(new VirtioBlockConfig("disk0"), image, NullLogger.Instance);

        FluentActions.Invoking(() => DeviceMove.Copy(guest.Device.CreateStateSection(), device.CreateStateSection()))
            .Should().Throw<StateException>().WithMessage("*capacity 8192 is not 1 to 2048, the sectors of file*");
    }

    [Fact]
    public void Move_ToALargerImage_KeepsTheGuestsSize()
    {
        using ImageFile large = new(8 << 20);
        using BlockGuest guest = new(_file.Path);
        guest.Driver.Transport.Pause();
        using DiskImage image = DiskImage.Open(DiskDeviceOptions.Parse($"path={large.Path}"));
        VirtioBlockDevice device = new(new VirtioBlockConfig("disk0"), image, NullLogger.Instance);
        using DeviceMove move = new(guest.Driver, device, guest.Device.CreateStateSection(), device.CreateStateSection());

        byte[] capacity = new byte[8];
        move.Transport.Read((ulong)VirtioMmioRegister.Config, capacity);
        BitConverter.ToUInt64(capacity).Should().Be(8192);
    }

    public void Dispose() => _file.Dispose();

    private static DiskImage Adopt(DiskImage image, string path)
    {
        DiskResources resources = ((ResourceSection<DiskResources>)image.CreateResourceSection("disk0")).Value;
        resources.File = resources.File!.Duplicate();
        return DiskImage.Adopt(in resources, DiskDeviceOptions.Parse($"path={path}"));
    }
}
