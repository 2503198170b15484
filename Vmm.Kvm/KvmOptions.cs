namespace Vmm.Kvm;

/// <summary>What a user of KVM may choose.</summary>
/// <param name="Pit">Also create the in-kernel 8254 timer at ports 0x40 to 0x43 and 0x61, for guests that calibrate by it.</param>
/// <param name="DevicePath">The device node.</param>
public sealed record KvmOptions(bool Pit = false, string DevicePath = "/dev/kvm");
