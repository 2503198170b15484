namespace Vmm.Kvm.Probe;

/// <summary>How a KVM runs guest code.</summary>
public enum KvmKind
{
    /// <summary>Intel VT-x.</summary>
    Vmx,

    /// <summary>AMD SVM.</summary>
    Svm,

    /// <summary>No virtualization in the CPU: user code of the guest runs natively, kernel code goes through KVM's emulator.</summary>
    SoftwareNested,
}
