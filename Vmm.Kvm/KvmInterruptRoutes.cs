using Vmm.Core.Interrupts;
using Vmm.Kvm.Native;
using static Vmm.Kvm.Native.KvmConstants;

namespace Vmm.Kvm;

/// <summary>
/// The table that says where each GSI leads. It begins as KVM's own default (KVM API 4.52: 0 to 15 to PIC and IOAPIC, 16 to 23 to the
/// IOAPIC); message-signalled interrupts get numbers from 24 on.
/// </summary>
internal sealed class KvmInterruptRoutes(KvmVm vm)
{
    private const uint PicPins = 8;

    private readonly Lock _lock = new();
    private readonly SortedDictionary<uint, kvm_irq_routing_entry> _messages = [];

    /// <summary>A GSI whose irqfd sends this message.</summary>
    internal Gsi AddMessage(ulong address, uint data)
    {
        lock (_lock)
        {
            uint gsi = KVM_IOAPIC_NUM_PINS;
            while (_messages.ContainsKey(gsi))
            {
                gsi++;
            }

            _messages.Add(gsi, Message(gsi, address, data));
            Apply();
            return new Gsi(gsi);
        }
    }

    /// <summary>Changes the message of a GSI, as a guest does when it moves an interrupt to another CPU.</summary>
    internal void ChangeMessage(Gsi gsi, ulong address, uint data)
    {
        lock (_lock)
        {
            ThrowIfUnknown(gsi);
            _messages[gsi.Number] = Message(gsi.Number, address, data);
            Apply();
        }
    }

    internal void RemoveMessage(Gsi gsi)
    {
        lock (_lock)
        {
            ThrowIfUnknown(gsi);
            _messages.Remove(gsi.Number);
            Apply();
        }
    }

    private void ThrowIfUnknown(Gsi gsi)
    {
        if (!_messages.ContainsKey(gsi.Number))
        {
            throw new ArgumentException($"{gsi} has no message route.", nameof(gsi));
        }
    }

    private void Apply()
    {
        var routes = new List<kvm_irq_routing_entry>();
        for (uint pin = 0; pin < KVM_IOAPIC_NUM_PINS; pin++)
        {
            routes.Add(Pin(pin, KVM_IRQCHIP_IOAPIC, pin));
            if (pin < 2 * PicPins)
            {
                routes.Add(Pin(pin, pin < PicPins ? KVM_IRQCHIP_PIC_MASTER : KVM_IRQCHIP_PIC_SLAVE, pin % PicPins));
            }
        }

        routes.AddRange(_messages.Values);
        vm.SetGsiRouting([.. routes]);
    }

    private static kvm_irq_routing_entry Pin(uint gsi, uint chip, uint pin) => new()
    {
        gsi = gsi,
        type = KVM_IRQ_ROUTING_IRQCHIP,
        u = new() { irqchip = new() { irqchip = chip, pin = pin } },
    };

    private static kvm_irq_routing_entry Message(uint gsi, ulong address, uint data) => new()
    {
        gsi = gsi,
        type = KVM_IRQ_ROUTING_MSI,
        u = new() { msi = new() { address_lo = (uint)address, address_hi = (uint)(address >> 32), data = data } },
    };
}
