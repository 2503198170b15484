using Tmds.Linux;
using Vmm.Core.Linux;

namespace Vmm.Kvm;

/// <summary>What a user can do when /dev/kvm can't be used.</summary>
internal static class KvmAdvice
{
    internal static string ForOpen(int errno) => errno switch
    {
        _ when errno == LibC.ENOENT =>
            "The kvm module is not loaded, or this machine has no virtualization: sudo modprobe kvm_amd (or kvm_intel), "
            + "and enable SVM or VT-x in the firmware, or nested virtualization when this is itself a virtual machine.",
        _ when errno == LibC.EACCES || errno == LibC.EPERM =>
            "This user may not open it; add yourself to the group kvm and log in again: sudo usermod -aG kvm $USER.",
        _ when errno == LibC.ENODEV || errno == LibC.ENXIO =>
            "The device node is there but no driver behind it: sudo modprobe kvm_amd (or kvm_intel).",
        _ when errno == LibC.EMFILE => LinuxException.FilesAdvice,
        _ => "Check that the path names the KVM device.",
    };
}
