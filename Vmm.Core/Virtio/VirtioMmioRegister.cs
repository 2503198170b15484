namespace Vmm.Core.Virtio;

/// <summary>Offsets of the virtio-mmio registers (virtio 1.2 section 4.2.2), all 32 bits wide.</summary>
public enum VirtioMmioRegister : uint
{
    MagicValue = 0x000,
    Version = 0x004,
    DeviceId = 0x008,
    VendorId = 0x00c,
    DeviceFeatures = 0x010,
    DeviceFeaturesSel = 0x014,
    DriverFeatures = 0x020,
    DriverFeaturesSel = 0x024,
    QueueSel = 0x030,
    QueueNumMax = 0x034,
    QueueNum = 0x038,
    QueueReady = 0x044,
    QueueNotify = 0x050,
    InterruptStatus = 0x060,
    InterruptAck = 0x064,
    Status = 0x070,
    QueueDescLow = 0x080,
    QueueDescHigh = 0x084,
    QueueDriverLow = 0x090,
    QueueDriverHigh = 0x094,
    QueueDeviceLow = 0x0a0,
    QueueDeviceHigh = 0x0a4,
    SharedMemorySel = 0x0ac,
    SharedMemoryLenLow = 0x0b0,
    SharedMemoryLenHigh = 0x0b4,
    SharedMemoryBaseLow = 0x0b8,
    SharedMemoryBaseHigh = 0x0bc,
    QueueReset = 0x0c0,
    ConfigGeneration = 0x0fc,

    /// <summary>Configuration space begins here; any width.</summary>
    Config = 0x100,
}
