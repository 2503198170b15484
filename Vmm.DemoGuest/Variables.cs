namespace Vmm.DemoGuest;

/// <summary>Addresses of the guest's global variables.</summary>
internal static class Variables
{
    /// <summary>
    /// 32 bits, one per interface: set by its interrupt handler, cleared by the main loop. One instruction each, so on one processor neither
    /// loses the other's.
    /// </summary>
    public const int PendingInterrupts = GuestLayout.Variables;

    public const int RamEnd = GuestLayout.Variables + 0x08;
    public const int ArenaNext = GuestLayout.Variables + 0x10;
    public const int InterfacesEnd = GuestLayout.Variables + 0x18;
    public const int StartTicks = GuestLayout.Variables + 0x20;
    public const int LastLook = GuestLayout.Variables + 0x28;
    public const int LongestGap = GuestLayout.Variables + 0x30;
    public const int Iterations = GuestLayout.Variables + 0x38;

    /// <summary>Bytes that may still be sent before the UART's FIFO has to be seen empty.</summary>
    public const int UartRoom = GuestLayout.Variables + 0x40;

    /// <summary>Non-zero when this iteration of the main loop found something to do.</summary>
    public const int Worked = GuestLayout.Variables + 0x44;

    /// <summary>Non-zero when a slice of memory was checked since the last wake-up.</summary>
    public const int SliceDone = GuestLayout.Variables + 0x48;

    /// <summary>1 when an interrupt is in service whose end was not yet written.</summary>
    public const int EndOfInterruptDue = GuestLayout.Variables + 0x4C;

    public const int CheckPosition = GuestLayout.Variables + 0x50;
    public const int CheckEnd = GuestLayout.Variables + 0x58;
    public const int CheckGeneration = GuestLayout.Variables + 0x60;
    public const int CheckSliceWords = GuestLayout.Variables + 0x68;
    public const int CheckErrors = GuestLayout.Variables + 0x70;
    public const int CheckFirstBad = GuestLayout.Variables + 0x78;
    public const int CheckPasses = GuestLayout.Variables + 0x80;

    // Where options of the command line leave their values.
    public const int ExitValue = GuestLayout.Variables + 0x88;
    public const int CheckSize = GuestLayout.Variables + 0x90;
    public const int FeatureMask = GuestLayout.Variables + 0x98;
    public const int QueuePairLimit = GuestLayout.Variables + 0xA0;
    public const int RingLimit = GuestLayout.Variables + 0xA8;

    /// <summary>IPv4 address per interface, in network order, 4 bytes each.</summary>
    public const int Addresses = GuestLayout.Variables + 0xB0;

    /// <summary>One byte per row of the option table: 1 when the option was given.</summary>
    public const int OptionSeen = GuestLayout.Variables + 0x100;

    /// <summary>Iterations whose time was before that of the one before.</summary>
    public const int ClockErrors = GuestLayout.Variables + 0x148;

    /// <summary>Offset of the next entry in <see cref="Gaps"/>.</summary>
    public const int NextGap = GuestLayout.Variables + 0x150;

    /// <summary>Number of entries in <see cref="Devices"/>.</summary>
    public const int DeviceCount = GuestLayout.Variables + 0x140;

    /// <summary>virtio_mmio.device= entries: base address (8 bytes), interrupt (8 bytes).</summary>
    public const int Devices = GuestLayout.Variables + 0x200;
    public const int MaximumDevices = 32;

    /// <summary><see cref="GapLayout"/>.</summary>
    public const int Gaps = GuestLayout.Variables + 0x400;
}
