namespace Vmm.Core.Interrupts;

/// <summary>A global system interrupt: the number of an interrupt controller's input pin (0 to 23 on the one IOAPIC).</summary>
public readonly record struct Gsi(uint Number)
{
    public override string ToString() => $"GSI {Number}";
}
