using Tmds.Linux;
using Vmm.Core.Linux;
using Vmm.Core.Memory;
using Vmm.Kvm.Native;
using Vmm.Kvm.State;
using static Vmm.Kvm.Native.KvmIoctl;

namespace Vmm.Kvm;

/// <summary>A KVM virtual machine with its in-kernel interrupt controllers. Holds its <see cref="Kvm"/>, which closes after it.</summary>
internal sealed unsafe partial class KvmVm : FileDescriptor
{
    // Intel CPUs without unrestricted guest mode need four pages that the guest does not use; these lie in the MMIO hole.
    private const ulong IdentityMapAddress = 0xFFFB_C000;
    private const ulong TssAddress = 0xFFFB_D000;

    private const string Subject = "a virtual machine";

    internal KvmVm(Kvm kvm) : base(Create(kvm))
    {
        bool held = false;
        kvm.DangerousAddRef(ref held);
        Kvm = kvm;
        XsaveSize = Math.Max(Check(KvmCapability.KVM_CAP_XSAVE2), sizeof(kvm_xsave));
        MaxCpuCount = Math.Max(Check(KvmCapability.KVM_CAP_MAX_VCPUS), 1);
    }

    internal Kvm Kvm { get; }

    /// <summary>Bytes of a vCPU's XSAVE area.</summary>
    internal int XsaveSize { get; }

    internal int MaxCpuCount { get; }

    internal bool HasPit { get; private set; }

    /// <summary>Set when the first vCPU has been made.</summary>
    internal StateTraits StateTraits { get; set; } = new([], HasTscOffset: false, HasSregs2: false, TscKilohertz: 0);

    internal int Check(KvmCapability capability)
        => Call(this, KVM_CHECK_EXTENSION, (void*)(nuint)(uint)capability, nameof(KVM_CHECK_EXTENSION), Subject);

    /// <summary>Creates PIC, IOAPIC and LAPICs in the kernel, and the PIT if asked for.</summary>
    internal void CreateInterruptControllers(bool pit)
    {
        // ORDER: the two addresses and the irqchip before the first vCPU (KVM API 4.39, 4.24); the PIT after the irqchip (4.71).
        ulong identityMap = IdentityMapAddress;
        Call(this, KVM_SET_IDENTITY_MAP_ADDR, &identityMap, nameof(KVM_SET_IDENTITY_MAP_ADDR), Subject);
        Call(this, KVM_SET_TSS_ADDR, (void*)TssAddress, nameof(KVM_SET_TSS_ADDR), Subject);
        Call(this, KVM_CREATE_IRQCHIP, null, nameof(KVM_CREATE_IRQCHIP), Subject);
        MaskPic(KvmConstants.KVM_IRQCHIP_PIC_MASTER);
        MaskPic(KvmConstants.KVM_IRQCHIP_PIC_SLAVE);
        if (pit)
        {
            var config = default(kvm_pit_config);
            Call(this, KVM_CREATE_PIT2, &config, nameof(KVM_CREATE_PIT2), Subject);
            HasPit = true;
        }
    }

    /// <summary>
    /// KVM creates the PICs unmasked, with vectors from 0 on and connected to the first LAPIC: an interrupt would hit a guest that only
    /// knows the IOAPIC (PVH has no PIC) a second time, as an exception's vector. A guest that uses the PIC initializes it.
    /// </summary>
    private void MaskPic(uint id)
    {
        var chip = default(kvm_irqchip);
        SaveChip(id, ref chip);
        chip.chip.pic.imr = 0xFF;
        RestoreChip(chip);
    }

    /// <summary>From 256 vCPUs on APIC ids need 32 bits (KVM API 7.7): in the LAPIC's state and in message routes.</summary>
    internal void AllowLargeApicIds(int cpuCount)
    {
        if (cpuCount > 255)
        {
            var request = new kvm_enable_cap { cap = (uint)KvmCapability.KVM_CAP_X2APIC_API };
            request.args[0] = KvmConstants.KVM_X2APIC_API_USE_32BIT_IDS | KvmConstants.KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK;
            Call(this, KVM_ENABLE_CAP, &request, "KVM_ENABLE_CAP(KVM_CAP_X2APIC_API)", Subject, "Use at most 255 vCPUs.");
        }
    }

    /// <summary>Maps one region of RAM as memory slot <paramref name="slot"/>.</summary>
    internal void SetMemorySlot(uint slot, MemoryRegion region)
    {
        var request = new kvm_userspace_memory_region
        {
            slot = slot,
            guest_phys_addr = region.Start.Value,
            memory_size = region.Size,
            userspace_addr = region.HostAddress,
        };
        Call(this, KVM_SET_USER_MEMORY_REGION, &request, nameof(KVM_SET_USER_MEMORY_REGION), $"RAM of {region.Size >> 10} KiB at {region.Start}");
    }

    protected override bool ReleaseHandle()
    {
        bool closed = base.ReleaseHandle();
        Kvm.DangerousRelease();
        return closed;
    }

    private static int Create(Kvm kvm)
    {
        while (true)
        {
            int fd = ioctl(kvm.Number, KVM_CREATE_VM, null);
            if (fd >= 0)
            {
                return fd;
            }

            // A signal of the runtime may interrupt the creation.
            if (LibC.errno != LibC.EINTR)
            {
                throw new LinuxException($"ioctl({nameof(KVM_CREATE_VM)})", "/dev/kvm", LibC.errno, "Check the memory and the limits of this process (ulimit -a).");
            }
        }
    }
}
