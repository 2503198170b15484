using System.Runtime.InteropServices;
using Tmds.Linux;
using Vmm.Core.Linux;

namespace Vmm.Kvm.Native;

/// <summary>
/// Every ioctl number that is used, computed as the C macros do (linux/kvm.h, asm-generic/ioctl.h), and the call itself.
/// A test compares each number with the kernel's header.
/// </summary>
internal static unsafe partial class KvmIoctl
{
    // /dev/kvm
    internal static uint KVM_GET_API_VERSION => _IO(0x00);
    internal static uint KVM_CREATE_VM => _IO(0x01);
    internal static uint KVM_GET_MSR_INDEX_LIST => _IOWR<kvm_msr_list>(0x02);
    internal static uint KVM_CHECK_EXTENSION => _IO(0x03);
    internal static uint KVM_GET_VCPU_MMAP_SIZE => _IO(0x04);
    internal static uint KVM_GET_SUPPORTED_CPUID => _IOWR<kvm_cpuid2>(0x05);

    // A virtual machine
    internal static uint KVM_CREATE_VCPU => _IO(0x41);
    internal static uint KVM_SET_USER_MEMORY_REGION => _IOW<kvm_userspace_memory_region>(0x46);
    internal static uint KVM_SET_TSS_ADDR => _IO(0x47);
    internal static uint KVM_SET_IDENTITY_MAP_ADDR => _IOW<ulong>(0x48);
    internal static uint KVM_CREATE_IRQCHIP => _IO(0x60);
    internal static uint KVM_IRQ_LINE => _IOW<kvm_irq_level>(0x61);
    internal static uint KVM_GET_IRQCHIP => _IOWR<kvm_irqchip>(0x62);
    internal static uint KVM_SET_IRQCHIP => _IOR<kvm_irqchip>(0x63);
    internal static uint KVM_SET_GSI_ROUTING => _IOW<kvm_irq_routing>(0x6a);
    internal static uint KVM_IRQFD => _IOW<kvm_irqfd>(0x76);
    internal static uint KVM_CREATE_PIT2 => _IOW<kvm_pit_config>(0x77);
    internal static uint KVM_IOEVENTFD => _IOW<kvm_ioeventfd>(0x79);
    internal static uint KVM_SET_CLOCK => _IOW<kvm_clock_data>(0x7b);
    internal static uint KVM_GET_CLOCK => _IOR<kvm_clock_data>(0x7c);
    internal static uint KVM_GET_PIT2 => _IOR<kvm_pit_state2>(0x9f);
    internal static uint KVM_SET_PIT2 => _IOW<kvm_pit_state2>(0xa0);
    internal static uint KVM_ENABLE_CAP => _IOW<kvm_enable_cap>(0xa3);
    internal static uint KVM_SIGNAL_MSI => _IOW<kvm_msi>(0xa5);

    // A vCPU
    internal static uint KVM_RUN => _IO(0x80);
    internal static uint KVM_GET_REGS => _IOR<kvm_regs>(0x81);
    internal static uint KVM_SET_REGS => _IOW<kvm_regs>(0x82);
    internal static uint KVM_GET_SREGS => _IOR<kvm_sregs>(0x83);
    internal static uint KVM_SET_SREGS => _IOW<kvm_sregs>(0x84);
    internal static uint KVM_GET_MSRS => _IOWR<kvm_msrs>(0x88);
    internal static uint KVM_SET_MSRS => _IOW<kvm_msrs>(0x89);
    internal static uint KVM_SET_SIGNAL_MASK => _IOW<kvm_signal_mask>(0x8b);
    internal static uint KVM_GET_LAPIC => _IOR<kvm_lapic_state>(0x8e);
    internal static uint KVM_SET_LAPIC => _IOW<kvm_lapic_state>(0x8f);
    internal static uint KVM_SET_CPUID2 => _IOW<kvm_cpuid2>(0x90);
    internal static uint KVM_GET_MP_STATE => _IOR<kvm_mp_state>(0x98);
    internal static uint KVM_SET_MP_STATE => _IOW<kvm_mp_state>(0x99);
    internal static uint KVM_GET_VCPU_EVENTS => _IOR<kvm_vcpu_events>(0x9f);
    internal static uint KVM_SET_VCPU_EVENTS => _IOW<kvm_vcpu_events>(0xa0);
    internal static uint KVM_GET_DEBUGREGS => _IOR<kvm_debugregs>(0xa1);
    internal static uint KVM_SET_DEBUGREGS => _IOW<kvm_debugregs>(0xa2);
    internal static uint KVM_GET_TSC_KHZ => _IO(0xa3);
    internal static uint KVM_GET_XSAVE => _IOR<kvm_xsave>(0xa4);
    internal static uint KVM_SET_XSAVE => _IOW<kvm_xsave>(0xa5);
    internal static uint KVM_GET_XCRS => _IOR<kvm_xcrs>(0xa6);
    internal static uint KVM_SET_XCRS => _IOW<kvm_xcrs>(0xa7);
    internal static uint KVM_KVMCLOCK_CTRL => _IO(0xad);
    internal static uint KVM_GET_SREGS2 => _IOR<kvm_sregs2>(0xcc);
    internal static uint KVM_SET_SREGS2 => _IOW<kvm_sregs2>(0xcd);
    internal static uint KVM_GET_XSAVE2 => _IOR<kvm_xsave>(0xcf);
    internal static uint KVM_SET_DEVICE_ATTR => _IOW<kvm_device_attr>(0xe1);
    internal static uint KVM_GET_DEVICE_ATTR => _IOW<kvm_device_attr>(0xe2);
    internal static uint KVM_HAS_DEVICE_ATTR => _IOW<kvm_device_attr>(0xe3);

    private const uint KVMIO = 0xAE;
    private const uint _IOC_WRITE = 1;
    private const uint _IOC_READ = 2;

    /// <summary>The system call. A negative result has its errno in the last P/Invoke error.</summary>
    [LibraryImport("libc", SetLastError = true)]
    internal static partial int ioctl(int fd, nuint request, void* argument);

    /// <summary>An ioctl that must succeed; otherwise the exception has its C name.</summary>
    internal static int Call(FileDescriptor file, uint request, void* argument, string name, string subject, string? advice = null)
    {
        int result = ioctl(file.Number, request, argument);
        return result >= 0 ? result : throw new LinuxException($"ioctl({name})", subject, LibC.errno, advice);
    }

    private static uint _IO(uint number) => Encode(0, 0, number);

    private static uint _IOR<T>(uint number) where T : unmanaged => Encode(_IOC_READ, sizeof(T), number);

    private static uint _IOW<T>(uint number) where T : unmanaged => Encode(_IOC_WRITE, sizeof(T), number);

    private static uint _IOWR<T>(uint number) where T : unmanaged => Encode(_IOC_READ | _IOC_WRITE, sizeof(T), number);

    private static uint Encode(uint direction, int size, uint number) => (direction << 30) | ((uint)size << 16) | (KVMIO << 8) | number;
}
