using Vmm.Core.Devices.VirtioRng;
using Vmm.Core.Events;
using Vmm.Core.Memory;
using Vmm.Core.Virtio;
using Vmm.Testing;
using Vmm.Testing.Virtio;

namespace Vmm.Core.Tests.Devices.VirtioRng;

public sealed class VirtioRngTests : IDisposable
{
    private const ulong Features = VirtioFeatures.Version1 | VirtioFeatures.RingEventIndex | VirtioFeatures.RingIndirectDescriptors | VirtioFeatures.RingReset;

    private readonly EventLoop _loop = new("test");
    private readonly VirtioRngDevice _device;
    private readonly DriverDevice _driver;

    public VirtioRngTests()
    {
        _device = new VirtioRngDevice(_loop);
        _driver = new DriverDevice(_device);
    }

    private DriverQueue Queue => _driver.Queues[0];

    private ulong Buffer => _driver.FreeMemory.Value;

    [Fact]
    public void Registers_OfTheDevice_SayEntropyAndOneQueue()
    {
        _driver.Read(VirtioMmioRegister.DeviceId).Should().Be(4);
        (_driver.OfferedFeatures & ~VirtioFeatures.Transport).Should().Be(0);
        _driver.ReadConfig(0, 8).Should().OnlyContain(b => b == 0);
        _driver.Write(VirtioMmioRegister.QueueSel, 1);
        _driver.Read(VirtioMmioRegister.QueueNumMax).Should().Be(0);
    }

    [Fact]
    public void Buffer_OfTheDriver_ComesBackRandomAndWhole()
    {
        _driver.Start(Features).Should().BeTrue();
        Ask(256).Should().Be(256);
        byte[] first = Read(256);
        Ask(256).Should().Be(256);

        first.Distinct().Count().Should().BeGreaterThan(100);
        Read(256).Should().NotEqual(first);
        Read(1, at: 256)[0].Should().Be(0, "nothing is written behind the buffer");
    }

    [Fact]
    public void LargeBuffer_OfManyRanges_GetsOneChunk()
    {
        _driver.Start(Features).Should().BeTrue();
        Queue.Add([DriverBuffer.Writable(Buffer, 4000), DriverBuffer.Writable(Buffer + 0x2000, 1 << 20)]);
        _driver.Notify(0);
        _driver.WaitForUsed(0, out _, out uint written).Should().BeTrue();

        written.Should().Be(VirtioRngDevice.MaxChunk);
        Read(96, at: 0x2000).Should().Contain(b => b != 0);
        Read(1000, at: 0x2000 + 96).Should().OnlyContain(b => b == 0);
    }

    [Fact]
    public void ManyBuffers_MoreThanABatch_AllComeBack()
    {
        _driver.Start(Features).Should().BeTrue();
        for (int i = 0; i < Queue.Size; i++)
        {
            Queue.Add([DriverBuffer.Writable(Buffer + (ulong)i * 64, 64)]);
        }

        _driver.Notify(0);
        for (int i = 0; i < Queue.Size; i++)
        {
            _driver.WaitForUsed(0, out _, out uint written).Should().BeTrue();
            written.Should().Be(64);
        }
    }

    [Fact]
    public void ReadableChain_IsHandedBackUntouched()
    {
        _driver.Start(Features).Should().BeTrue();
        Queue.Add([DriverBuffer.Readable(Buffer, 64)]);
        _driver.Notify(0);
        _driver.WaitForUsed(0, out _, out uint written).Should().BeTrue();

        written.Should().Be(0);
        Read(64).Should().OnlyContain(b => b == 0);
        _device.Metrics.Malformed.Should().Be(1);
    }

    [Theory]
    [InlineData(0ul, 0u)]
    [InlineData(0xfff_0000_0000ul, 64u)]
    [InlineData(0xff_ffc0ul, 128u)]
    public void BufferThatIsNoRam_BreaksTheQueueUntilAReset(ulong address, uint length)
    {
        _driver.Start(Features).Should().BeTrue();
        Queue.WriteDescriptor(0, new GuestAddress(address), length, DriverQueue.Write, 0);
        Queue.MakeAvailable(0);
        _driver.Notify(0);

        SpinWait.SpinUntil(() => (_driver.Status & VirtioStatus.NeedsReset) != 0, TimeSpan.FromSeconds(20)).Should().BeTrue();
        _driver.Start(Features).Should().BeTrue();
        Ask(64).Should().Be(64);
    }

    [Fact]
    public void Pause_KeepsBuffersInTheRing_AndResumeServesThem()
    {
        _driver.Start(Features).Should().BeTrue();
        _driver.Transport.Pause();
        Queue.Add([DriverBuffer.Writable(Buffer, 64)]);
        _driver.Notify(0);
        Queue.TryGetUsed(out _, out _).Should().BeFalse();

        _driver.Transport.Resume();
        _driver.WaitForUsed(0, out _, out uint written).Should().BeTrue();
        written.Should().Be(64);
    }

    [Fact]
    public void Move_WithBuffersInTheRing_TheyAreServedThere()
    {
        _driver.Start(Features).Should().BeTrue();
        Ask(64).Should().Be(64);
        _driver.Transport.Pause();
        Queue.Add([DriverBuffer.Writable(Buffer + 4096, 100)]);
        using DeviceMove move = new(_driver, new VirtioRngDevice(_loop));

        _driver.WaitForUsed(0, out _, out uint written).Should().BeTrue();
        written.Should().Be(100);
        Read(100, at: 4096).Should().Contain(b => b != 0);
        _device.Metrics.Requests.Should().Be(1);
    }

    [Fact]
    public void QueueReset_AndEnable_GoesOn()
    {
        _driver.Start(Features).Should().BeTrue();
        Ask(64).Should().Be(64);
        _driver.Write(VirtioMmioRegister.QueueSel, 0);
        _driver.Write(VirtioMmioRegister.QueueReset, 1);
        Queue.Clear();
        _driver.SetUpQueue(0);
        Ask(32).Should().Be(32);
    }

    [Fact]
    public void Requests_OnceRunning_AllocateNothing()
    {
        _driver.Start(Features).Should().BeTrue();
        Ask(64);
        AllocationMeter meter = new();
        while (meter.WantsMore)
        {
            Queue.Add([DriverBuffer.Writable(Buffer, 64)]);
            meter.Measure(() => _device.OnDoorbell(ReadyEvents.In));
            Queue.TryGetUsed(out _, out _).Should().BeTrue();
        }

        meter.Least.Should().Be(0);
    }

    public void Dispose()
    {
        _driver.Dispose();
        _loop.Dispose();
    }

    private uint Ask(uint length)
    {
        Queue.Add([DriverBuffer.Writable(Buffer, length)]);
        _driver.Notify(0);
        _driver.WaitForUsed(0, out _, out uint written).Should().BeTrue();
        return written;
    }

    private byte[] Read(int length, ulong at = 0)
    {
        _driver.Memory.TryGetSpan(new GuestAddress(Buffer + at), (uint)length, out Span<byte> span).Should().BeTrue();
        return span.ToArray();
    }
}
