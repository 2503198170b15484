namespace Vmm.Kvm.Probe;

/// <summary>One capability of this host's KVM.</summary>
/// <param name="Name">Its C name, <c>KVM_CAP_IRQFD</c>.</param>
/// <param name="IsRequired">No machine can be made without it.</param>
/// <param name="Value">KVM_CHECK_EXTENSION's answer: 0 when absent, else 1 or a number of its own.</param>
public sealed record KvmCapabilityReport(string Name, bool IsRequired, int Value)
{
    public bool IsPresent => Value != 0;
}
