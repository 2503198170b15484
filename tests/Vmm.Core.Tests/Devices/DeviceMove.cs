using Microsoft.Extensions.Logging.Abstractions;
using Vmm.Core.State;
using Vmm.Core.Virtio;
using Vmm.Testing.Virtio;

namespace Vmm.Core.Tests.Devices;

/// <summary>A device that goes on as another object on the same guest memory, as after a live update.</summary>
internal sealed class DeviceMove : IDisposable
{
    private readonly IVirtioDevice _device;

    /// <param name="driver">Whose device stands still.</param>
    /// <param name="device">Goes on.</param>
    /// <param name="from">The old device's section; null when it has none.</param>
    /// <param name="to">The new one's.</param>
    public DeviceMove(DriverDevice driver, IVirtioDevice device, IStateSection? from = null, IStateSection? to = null)
    {
        _device = device;
        Transport = new VirtioMmioTransport("test0", device, driver.Memory, Line, NullLogger.Instance);
        Transport.Pause();
        if (from is not null)
        {
            Copy(from, to!);
        }

        Copy(driver.Transport.CreateStateSection(), Transport.CreateStateSection());
        Transport.Resume();
    }

    public RecordingInterruptLine Line { get; } = new();

    public VirtioMmioTransport Transport { get; }

    public static void Copy(IStateSection from, IStateSection to)
    {
        StateBuffer buffer = new();
        from.Save(buffer, from.Version);
        StateInput input = new(buffer.Written, buffer.Descriptors);
        to.Load(ref input, from.Version);
        input.Left.Should().Be(0);
        to.Apply();
    }

    public void Dispose() => _device.Dispose();
}
