namespace Vmm.DemoGuest;

/// <summary>
/// The embedded guest: a bare-metal 64-bit program that answers on the network, assembled when it is asked for.
/// </summary>
/// <remarks>
/// <para>It boots by PVH (Xen's HVM start_info; 32-bit entry) and needs 11 MiB of RAM, a 16550 UART at port 0x3F8, a local
/// APIC, an I/O APIC, and virtio-mmio version 2 devices named on its command line. Its e_entry is a 64-bit entry for
/// loaders that know no PVH: RSI or RBX points at hvm_start_info, or RSI at Linux's boot_params.</para>
/// <para>Protocols, per interface: ARP; ICMP echo of any size; UDP echo on port 7 and status on port 9
/// (<see cref="DemoGuestStatus"/>); TCP segments to port 7 and frames of EtherType 0x88B5 are mirrored, payload and
/// offload header unchanged. Trailing IPv4 fragments of ICMP and UDP are mirrored too, so that fragmented datagrams come back
/// whole. UDP echo and the TCP mirror also work over IPv6 (no extension headers, no neighbour discovery).
/// Requests from port 7 to port 7 get no answer, lest two guests talk for ever.
/// Checksums of echoes are carried over, not computed anew: a frame that was damaged on its way in is still seen to be.</para>
/// <para>Options on the command line:</para>
/// <list type="bullet">
/// <item><c>virtio_mmio.device=SIZE@ADDRESS:INTERRUPT</c>: a device; up to 19 network interfaces are driven.</item>
/// <item><c>ip=A.B.C.D</c>, <c>ip1=</c> to <c>ip18=</c>: address of the first and of further interfaces.</item>
/// <item><c>poll</c>: never HLT; the main loop polls, and its longest gap is measured.</item>
/// <item><c>check=SIZE</c>: size of the region of memory that is rewritten and verified (default 1M, K/M/G suffixes).</item>
/// <item><c>features=MASK</c>: accept only these virtio-net features (and VERSION_1).</item>
/// <item><c>queues=N</c>, <c>ring=N</c>: use at most N queue pairs, rings of at most N entries.</item>
/// <item><c>exit=N</c>: leave through the debug exit with N. <c>reset</c>: reset by the keyboard controller.
/// <c>triple</c>: triple fault. <c>hang</c>: HLT with interrupts off. <c>crash</c>: a page fault, which is reported and leaves through the
/// debug exit. Each right after the first line.</item>
/// </list>
/// <para>Debug exits (port 0x501): N of <c>exit=N</c>; <see cref="ExceptionExit"/> plus the vector after an exception;
/// <see cref="DeviceFaultExit"/> when a device breaks the protocol of its queue; <see cref="TooLittleRamExit"/>.</para>
/// </remarks>
public static class DemoGuestImage
{
    /// <summary>What precedes the vector in the value that an unexpected exception writes to the debug-exit port.</summary>
    public const byte ExceptionExit = 0x40;

    /// <summary>What the guest writes to the debug-exit port when a device returns a buffer that it was not given.</summary>
    public const byte DeviceFaultExit = 0x3F;

    /// <summary>What the guest writes to the debug-exit port when it has too little RAM.</summary>
    public const byte TooLittleRamExit = 0x3E;

    /// <summary>The first bytes on the serial port.</summary>
    public const string Banner = "demo guest: ";

    /// <summary>Assembles the guest. The result is the same each time.</summary>
    /// <returns>An ELF64 executable for x86-64 with a PVH note.</returns>
    public static byte[] Build()
    {
        var texts = new TextTable();
        var program = new GuestProgram(texts);
        byte[] code = program.Assemble();
        byte[] data = DataSegment.Build(program.InterruptHandlers, texts);
        return ElfFile.Build(code, data, program.LongModeEntry, GuestLayout.ProtectedModeCode);
    }
}
