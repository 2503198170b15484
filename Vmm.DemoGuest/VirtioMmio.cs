namespace Vmm.DemoGuest;

/// <summary>Registers of a virtio-mmio device, version 2 (virtio 1.2 section 4.2.2).</summary>
internal static class VirtioMmio
{
    public const int MagicValue = 0x000;
    public const int Version = 0x004;
    public const int DeviceId = 0x008;
    public const int DeviceFeatures = 0x010;
    public const int DeviceFeaturesSelect = 0x014;
    public const int DriverFeatures = 0x020;
    public const int DriverFeaturesSelect = 0x024;
    public const int QueueSelect = 0x030;
    public const int QueueSizeMaximum = 0x034;
    public const int QueueSize = 0x038;
    public const int QueueReady = 0x044;
    public const int QueueNotify = 0x050;
    public const int InterruptStatus = 0x060;
    public const int InterruptAcknowledge = 0x064;
    public const int Status = 0x070;
    public const int QueueDescriptors = 0x080;
    public const int QueueDriver = 0x090;
    public const int QueueDevice = 0x0A0;
    public const int Configuration = 0x100;

    public const int Magic = 0x7472_6976;
    public const int NetworkDevice = 1;

    public const int InterruptUsedBuffer = 1;
    public const int InterruptConfiguration = 2;

    public const int StatusAcknowledge = 1;
    public const int StatusDriver = 2;
    public const int StatusDriverOk = 4;
    public const int StatusFeaturesOk = 8;
    public const int StatusFailed = 0x80;
}
