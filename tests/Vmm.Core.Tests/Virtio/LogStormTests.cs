using Vmm.Core.Virtio;
using Vmm.Testing.Virtio;

namespace Vmm.Core.Tests.Virtio;

/// <summary>A guest that repeats a mistake for ever does not fill the host's log.</summary>
public sealed class LogStormTests
{
    private const int Rounds = 10_000;
    private const ulong Features = 1ul << 3 | VirtioFeatures.Version1;

    [Fact]
    public void DriverOk_WithoutFeaturesOk_IsLimited()
        => Storm("DRIVER_OK without FEATURES_OK", d => d.Write(VirtioMmioRegister.Status, (uint)(VirtioStatus.Acknowledge | VirtioStatus.DriverOk)));

    [Fact]
    public void Features_Refused_AreLimited() => Storm("are refused", d => d.Negotiate(VirtioFeatures.Version1).Should().BeFalse());

    [Fact]
    public void Queue_OutsideOfRam_IsLimited() => Storm("broke the ring", d =>
    {
        d.Negotiate(Features);
        d.Write(VirtioMmioRegister.QueueDescHigh, 0x7FFF);
        d.Write(VirtioMmioRegister.QueueReady, 1);
    });

    private static void Storm(string message, Action<DriverDevice> mistake)
    {
        CountingLogger log = new();
        using DriverDevice device = new(new ProbeDevice(), log: log);
        for (int i = 0; i < Rounds; i++)
        {
            mistake(device);
        }

        log.Lines.Should().HaveCountLessThanOrEqualTo(log.Allowed).And.Contain(line => line.Contains(message, StringComparison.Ordinal));
    }
}
