using Vmm.Core.Events;
using Vmm.Core.Interrupts;
using Vmm.Core.Memory;

namespace Vmm.Kvm;

/// <summary>Interrupts into the guest and doorbells out of it.</summary>
public sealed partial class KvmVirtualMachine
{
    /// <inheritdoc/>
    /// <exception cref="ArgumentOutOfRangeException">The IOAPIC has no such pin.</exception>
    public IInterruptLine GetInterruptLine(Gsi gsi)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(gsi.Number, PinCount, nameof(gsi));
        if (_lines[gsi.Number] is not { } line)
        {
            line = _lines[gsi.Number] = new KvmInterruptLine(_vm, gsi);
            if (_linesUnknown)
            {
                line.Forget();
            }
        }

        return line;
    }

    /// <summary>Whether the guest wants to be interrupted by this pin of the IOAPIC; none does at its start.</summary>
    public bool IsUnmasked(Gsi gsi) => _vm.IsUnmasked(gsi);

    /// <inheritdoc/>
    public void AttachDoorbell(GuestAddress address, uint value, EventFd doorbell) => _vm.SetIoeventfd(address, value, doorbell, attach: true);

    /// <inheritdoc/>
    public void DetachDoorbell(GuestAddress address, uint value, EventFd doorbell) => _vm.SetIoeventfd(address, value, doorbell, attach: false);

    /// <summary>From now on a ring of <paramref name="trigger"/> interrupts the guest (KVM_IRQFD).</summary>
    /// <param name="trigger">Rung by any thread or by the kernel.</param>
    /// <param name="gsi">A pin, or an MSI route.</param>
    /// <param name="resample">When given, the pin stays raised until the guest's EOI, which lowers it and rings this eventfd.</param>
    public void AttachInterrupt(EventFd trigger, Gsi gsi, EventFd? resample = null) => _vm.AttachIrqfd(trigger, gsi, resample);

    /// <summary>Undoes <see cref="AttachInterrupt"/>.</summary>
    public void DetachInterrupt(EventFd trigger, Gsi gsi) => _vm.DetachIrqfd(trigger, gsi);

    /// <summary>A GSI for <see cref="AttachInterrupt"/> that sends a message-signalled interrupt.</summary>
    /// <param name="address">The message's address, 0xFEEx_xxxx.</param>
    /// <param name="data">The message's data: vector and delivery mode.</param>
    public Gsi AddMessageRoute(ulong address, uint data) => _routes.AddMessage(address, data);

    /// <summary>Gives a GSI from <see cref="AddMessageRoute"/> another message.</summary>
    /// <exception cref="ArgumentException">The GSI is not from there.</exception>
    public void ChangeMessageRoute(Gsi gsi, ulong address, uint data) => _routes.ChangeMessage(gsi, address, data);

    /// <summary>Gives a GSI from <see cref="AddMessageRoute"/> back.</summary>
    /// <exception cref="ArgumentException">The GSI is not from there.</exception>
    public void RemoveMessageRoute(Gsi gsi) => _routes.RemoveMessage(gsi);

    /// <summary>Sends one message-signalled interrupt (KVM_SIGNAL_MSI). False when the guest has blocked it.</summary>
    public bool SignalMessage(ulong address, uint data) => _vm.SignalMsi(address, data);
}
