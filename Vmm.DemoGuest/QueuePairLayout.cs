namespace Vmm.DemoGuest;

/// <summary>
/// Offsets in the structure of one queue pair. Buffer n belongs to descriptor n of both queues: a received frame is
/// answered in place, so whoever owns the buffer owns both descriptors, and the transmit ring is never full.
/// </summary>
internal static class QueuePairLayout
{
    public const int ReceiveDescriptors = 0x00;
    public const int ReceiveAvailable = 0x08;
    public const int ReceiveUsed = 0x10;
    public const int TransmitDescriptors = 0x18;
    public const int TransmitAvailable = 0x20;
    public const int TransmitUsed = 0x28;
    public const int Buffers = 0x30;

    // 16-bit ring positions.
    public const int ReceiveAvailableIndex = 0x38;
    public const int ReceiveLastUsed = 0x3A;
    public const int ReceiveNotified = 0x3C;
    public const int TransmitAvailableIndex = 0x3E;
    public const int TransmitLastUsed = 0x40;
    public const int TransmitNotified = 0x42;

    public const int ReceiveQueue = 0x44;
    public const int TransmitQueue = 0x48;

    /// <summary>Buffers that are with the receive queue.</summary>
    public const int ReceivePosted = 0x4C;
    public const int Index = 0x50;

    // Addresses of the event fields (virtio 1.2 section 2.7.10).
    public const int ReceiveUsedEvent = 0x58;
    public const int TransmitUsedEvent = 0x60;
    public const int ReceiveAvailableEvent = 0x68;
    public const int TransmitAvailableEvent = 0x70;

    public const int SizeShift = 7;
    public const int Size = 1 << SizeShift;
}
