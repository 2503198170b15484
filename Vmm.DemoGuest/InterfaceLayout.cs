namespace Vmm.DemoGuest;

/// <summary>Offsets in the structure of one network interface.</summary>
internal static class InterfaceLayout
{
    public const int MmioBase = 0x00;
    public const int MacAddress = 0x08;
    public const int Address = 0x10;
    public const int Index = 0x14;
    public const int Features = 0x18;
    public const int RingSize = 0x20;
    public const int RingMask = 0x24;
    public const int BufferSize = 0x28;
    public const int PairCount = 0x2C;
    public const int OfferedPairs = 0x30;
    public const int Interrupt = 0x34;

    /// <summary>Bit n: frames of gso_type n may be sent.</summary>
    public const int SendableSegmentation = 0x38;
    public const int Mtu = 0x3C;

    // One byte each: 1 when negotiated.
    public const int HasEventIndex = 0x40;
    public const int HasMergedBuffers = 0x41;
    public const int HasChecksumOffload = 0x42;

    /// <summary>1 while the interface's own frame (announcement) is with the device.</summary>
    public const int OwnFrameBusy = 0x44;
    public const int LinkUp = 0x45;

    /// <summary>Value of an available ring's flags that asks for no interrupts: 16 bits, 1, or 0 where event indices are used.</summary>
    public const int NoInterrupt = 0x46;

    public const int ControlDescriptors = 0x48;
    public const int ControlAvailable = 0x50;
    public const int ControlUsed = 0x58;
    public const int ControlIndex = 0x60;
    public const int ControlQueue = 0x64;
    public const int ControlRingMask = 0x68;

    /// <summary>struct virtio_net_ctrl_hdr and the command's data.</summary>
    public const int ControlCommand = 0x70;
    public const int ControlAnswer = 0x80;

    public const int Status = 0x100;
    public const int Pairs = 0x300;
    public const int MaximumPairs = 16;
}
