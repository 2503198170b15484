using Tmds.Linux;
using Vmm.Core.Events;
using Vmm.Core.Interrupts;
using Vmm.Core.Linux;
using Vmm.Core.Memory;
using Vmm.Kvm.Native;
using static Vmm.Kvm.Native.KvmConstants;
using static Vmm.Kvm.Native.KvmIoctl;

namespace Vmm.Kvm;

/// <summary>Interrupts in and doorbells out.</summary>
internal sealed unsafe partial class KvmVm
{
    /// <summary>KVM_IRQ_LINE (KVM API 4.25): the level of an input pin.</summary>
    internal void SetIrqLine(Gsi gsi, bool raised)
    {
        bool held = false;
        try
        {
            DangerousAddRef(ref held);
        }
        catch (ObjectDisposedException)
        {
            return; // A device that is still at work when its machine has gone.
        }

        var request = new kvm_irq_level { irq = gsi.Number, level = raised ? 1u : 0u };
        int result = ioctl(Number, KVM_IRQ_LINE, &request);
        int errno = LibC.errno;
        DangerousRelease();
        if (result < 0)
        {
            throw new LinuxException("ioctl(KVM_IRQ_LINE)", gsi.ToString(), errno);
        }
    }

    /// <summary>KVM_IRQFD (KVM API 4.75): writes to <paramref name="trigger"/> interrupt the guest without a system call to KVM.</summary>
    /// <param name="trigger">Rung by whoever interrupts.</param>
    /// <param name="gsi">Pin or MSI route.</param>
    /// <param name="resample">When given, the line is level-triggered: it stays raised until the guest's EOI, which rings this eventfd.</param>
    internal void AttachIrqfd(EventFd trigger, Gsi gsi, EventFd? resample)
    {
        var request = new kvm_irqfd { fd = (uint)trigger.Number, gsi = gsi.Number };
        if (resample is not null)
        {
            request.flags = KVM_IRQFD_FLAG_RESAMPLE;
            request.resamplefd = (uint)resample.Number;
        }

        Call(this, KVM_IRQFD, &request, nameof(KVM_IRQFD), gsi.ToString());
    }

    internal void DetachIrqfd(EventFd trigger, Gsi gsi)
    {
        var request = new kvm_irqfd { fd = (uint)trigger.Number, gsi = gsi.Number, flags = KVM_IRQFD_FLAG_DEASSIGN };
        Call(this, KVM_IRQFD, &request, nameof(KVM_IRQFD), gsi.ToString());
    }

    /// <summary>KVM_IOEVENTFD (KVM API 4.59) with data match, 4 bytes, MMIO.</summary>
    internal void SetIoeventfd(GuestAddress address, uint value, EventFd doorbell, bool attach)
    {
        var request = new kvm_ioeventfd
        {
            datamatch = value,
            addr = address.Value,
            len = sizeof(uint),
            fd = doorbell.Number,
            flags = KVM_IOEVENTFD_FLAG_DATAMATCH | (attach ? 0 : KVM_IOEVENTFD_FLAG_DEASSIGN),
        };
        Call(this, KVM_IOEVENTFD, &request, nameof(KVM_IOEVENTFD), $"the doorbell {value} at {address}");
    }

    /// <summary>KVM_SIGNAL_MSI (KVM API 4.70). False when the guest has blocked the interrupt.</summary>
    internal bool SignalMsi(ulong address, uint data)
    {
        var request = new kvm_msi { address_lo = (uint)address, address_hi = (uint)(address >> 32), data = data };
        return Call(this, KVM_SIGNAL_MSI, &request, nameof(KVM_SIGNAL_MSI), $"MSI 0x{address:x}") > 0;
    }

    /// <summary>KVM_SET_GSI_ROUTING (KVM API 4.52): replaces all routes.</summary>
    internal void SetGsiRouting(ReadOnlySpan<kvm_irq_routing_entry> routes)
    {
        // SAFETY: header and entries lie in one array, as the flexible array member of kvm_irq_routing does.
        byte[] buffer = new byte[sizeof(kvm_irq_routing) + routes.Length * sizeof(kvm_irq_routing_entry)];
        fixed (byte* bytes = buffer)
        {
            var table = (kvm_irq_routing*)bytes;
            table->nr = (uint)routes.Length;
            routes.CopyTo(new Span<kvm_irq_routing_entry>(table + 1, routes.Length));
            Call(this, KVM_SET_GSI_ROUTING, table, nameof(KVM_SET_GSI_ROUTING), $"{routes.Length} interrupt routes");
        }
    }
}
