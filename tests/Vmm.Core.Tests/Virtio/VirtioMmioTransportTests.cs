using Vmm.Core.Memory;
using Vmm.Core.Virtio;
using Vmm.Testing.Virtio;

namespace Vmm.Core.Tests.Virtio;

public sealed class VirtioMmioTransportTests
{
    private const ulong DeviceBit = 1ul << 3;

    [Fact]
    public void IdentityRegisters_AreThoseOfVersion2()
    {
        using DriverDevice d = new(new ProbeDevice());
        d.Read(VirtioMmioRegister.MagicValue).Should().Be(0x74726976);
        d.Read(VirtioMmioRegister.Version).Should().Be(2);
        d.Read(VirtioMmioRegister.DeviceId).Should().Be(42);
        d.Read(VirtioMmioRegister.SharedMemoryLenLow).Should().Be(uint.MaxValue);
        d.OfferedFeatures.Should().Be(DeviceBit | VirtioFeatures.Transport);
    }

    [Fact]
    public void Status_LegalSequence_ActivatesOnce()
    {
        ProbeDevice probe = new();
        using DriverDevice d = new(probe);
        d.Start(DeviceBit | VirtioFeatures.Version1).Should().BeTrue();
        probe.Calls.Should().Equal("reset", "activate");
        d.Transport.Features.Should().Be(DeviceBit | VirtioFeatures.Version1);
        d.Transport.GetQueue(0).IsUsable.Should().BeTrue();
    }

    [Theory]
    [InlineData(VirtioFeatures.Version1 | 1ul << 7, "a bit that was not offered")]
    [InlineData(DeviceBit, "no VERSION_1")]
    [InlineData(VirtioFeatures.Version1, "refused by the device")]
    public void FeaturesOk_BadFeatures_IsNotKept(ulong features, string because)
    {
        using DriverDevice d = new(new ProbeDevice());
        d.Start(features).Should().BeFalse(because);
        d.Write(VirtioMmioRegister.Status, 0xf);
        (d.Status & VirtioStatus.DriverOk).Should().Be(0, because);
    }

    [Fact]
    public void DriverFeatures_AfterFeaturesOk_AreFinal()
    {
        using DriverDevice d = new(new ProbeDevice());
        d.Negotiate(DeviceBit | VirtioFeatures.Version1);
        d.Write(VirtioMmioRegister.DriverFeatures, 0);
        d.Transport.Features.Should().Be(DeviceBit | VirtioFeatures.Version1);
    }

    [Fact]
    public void Interrupts_LevelFollowsTheStatus()
    {
        using DriverDevice d = new(new ProbeDevice());
        d.Start(DeviceBit | VirtioFeatures.Version1);
        d.Transport.InterruptQueue(0);
        d.Transport.InterruptQueue(0);
        d.Line.IsRaised.Should().BeTrue();
        d.Line.RisingEdges.Should().Be(1);
        d.Read(VirtioMmioRegister.InterruptStatus).Should().Be(1);

        d.Transport.InterruptConfig();
        d.Write(VirtioMmioRegister.InterruptAck, 1);
        d.Line.IsRaised.Should().BeTrue("the configuration change is still pending");
        d.Write(VirtioMmioRegister.InterruptAck, 2);
        d.Line.IsRaised.Should().BeFalse();
        d.Transport.Metrics.Coalesced.Should().Be(1);
    }

    [Fact]
    public void Interrupts_CauseAfterTheStatusWasRead_MakesANewEdge()
    {
        using DriverDevice d = new(new ProbeDevice());
        d.Start(DeviceBit | VirtioFeatures.Version1);
        d.Transport.InterruptConfig();
        uint status = d.Read(VirtioMmioRegister.InterruptStatus);
        d.Transport.InterruptQueue(0);

        d.Write(VirtioMmioRegister.InterruptAck, status);

        d.Line.IsRaised.Should().BeTrue();
        d.Line.RisingEdges.Should().Be(2, "an edge-triggered pin would not tell of the second cause otherwise");
    }

    [Fact]
    public void Interrupts_AcknowledgedWhileRaised_AreNeverLost()
    {
        using DriverDevice d = new(new ProbeDevice());
        d.Start(DeviceBit | VirtioFeatures.Version1);
        int raised = 0;
        using CancellationTokenSource stop = new();
        Thread device = new(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                Interlocked.Increment(ref raised);
                d.Transport.InterruptQueue(0);
            }
        });
        device.Start();

        // A handler that acknowledges first and looks then must see all that was raised, and an unset status must mean a low line.
        for (int i = 0; i < 20_000; i++)
        {
            d.AcknowledgeInterrupt();
        }

        stop.Cancel();
        device.Join();
        d.Line.IsRaised.Should().Be(d.Read(VirtioMmioRegister.InterruptStatus) != 0);
        d.AcknowledgeInterrupt();
        d.Line.IsRaised.Should().BeFalse();
    }

    [Fact]
    public void ConfigChange_MovesTheGeneration()
    {
        using DriverDevice d = new(new ProbeDevice());
        d.Start(DeviceBit | VirtioFeatures.Version1);
        uint before = d.Read(VirtioMmioRegister.ConfigGeneration);
        d.Transport.InterruptConfig();
        d.Read(VirtioMmioRegister.ConfigGeneration).Should().NotBe(before);
    }

    [Fact]
    public void Fail_WhileRunning_SetsNeedsResetAndTellsTheDriver_ResetRecovers()
    {
        using DriverDevice d = new(new ProbeDevice());
        d.Start(DeviceBit | VirtioFeatures.Version1);
        d.Transport.Fail(0, "a test says so");
        (d.Status & VirtioStatus.NeedsReset).Should().Be(VirtioStatus.NeedsReset);
        d.Read(VirtioMmioRegister.InterruptStatus).Should().Be(2);
        d.Write(VirtioMmioRegister.Status, 0);
        d.Status.Should().Be(VirtioStatus.None);
        d.Line.IsRaised.Should().BeFalse();
        d.Start(DeviceBit | VirtioFeatures.Version1).Should().BeTrue();
    }

    [Fact]
    public void QueueReady_RingOutsideOfRam_NeedsReset()
    {
        using DriverDevice d = new(new ProbeDevice());
        d.Negotiate(DeviceBit | VirtioFeatures.Version1);
        d.Write(VirtioMmioRegister.QueueSel, 1);
        d.WriteAddress(VirtioMmioRegister.QueueDescLow, new GuestAddress(0xfee0_0000));
        d.Write(VirtioMmioRegister.QueueReady, 1);
        d.Read(VirtioMmioRegister.QueueReady).Should().Be(0);
        (d.Status & VirtioStatus.NeedsReset).Should().Be(VirtioStatus.NeedsReset);
    }

    [Fact]
    public void QueueReset_WhileRunning_ClosesAndReopensOneQueue()
    {
        ProbeDevice probe = new();
        using DriverDevice d = new(probe);
        d.Start(DeviceBit | VirtioFeatures.Version1 | VirtioFeatures.RingReset);
        d.Write(VirtioMmioRegister.QueueSel, 1);
        d.Write(VirtioMmioRegister.QueueReset, 1);
        d.Read(VirtioMmioRegister.QueueReset).Should().Be(0);
        d.Read(VirtioMmioRegister.QueueReady).Should().Be(0);
        d.Queues[1].Clear();
        d.SetUpQueue(1);
        probe.Calls.Should().Equal("reset", "activate", "reset queue 1", "enable queue 1");
    }

    [Fact]
    public void QueueReset_NotNegotiated_IsIgnored()
    {
        using DriverDevice d = new(new ProbeDevice());
        d.Start(DeviceBit | VirtioFeatures.Version1);
        d.Write(VirtioMmioRegister.QueueSel, 1);
        d.Write(VirtioMmioRegister.QueueReset, 1);
        d.Read(VirtioMmioRegister.QueueReady).Should().Be(1);
    }

    [Fact]
    public void EveryOffsetAndWidth_ReadAndWritten_DoesNoHarm()
    {
        using DriverDevice d = new(new ProbeDevice());
        d.Start(DeviceBit | VirtioFeatures.Version1);
        byte[] data = new byte[8];
        foreach (int width in (int[])[1, 2, 4, 8])
        {
            for (ulong offset = 0; offset < 0x200; offset++)
            {
                d.Transport.Read(offset, data.AsSpan(0, width));
                foreach (byte fill in (byte[])[0x00, 0x01, 0x7f, 0xff])
                {
                    data.AsSpan().Fill(fill);
                    d.Transport.Write(offset, data.AsSpan(0, width));
                }
            }
        }

        d.Start(DeviceBit | VirtioFeatures.Version1).Should().BeTrue();
    }

    [Fact]
    public void QueueSettings_WhileReady_AreNotTaken()
    {
        using DriverDevice d = new(new ProbeDevice());
        d.Start(DeviceBit | VirtioFeatures.Version1);
        d.Write(VirtioMmioRegister.QueueSel, 0);
        d.Write(VirtioMmioRegister.QueueDescLow, 0xdead0000);
        d.Transport.GetQueue(0).State.DescriptorTable.Should().Be(d.Queues[0].DescriptorTable);
    }
}
