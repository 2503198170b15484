using Tmds.Linux;
using Vmm.Core.Linux;
using Vmm.Kvm.Native;
using static Vmm.Kvm.Native.KvmIoctl;

namespace Vmm.Kvm;

/// <summary>A vCPU and its shared page. Holds its <see cref="KvmVm"/>, which closes after it.</summary>
internal sealed unsafe partial class KvmVcpu : FileDescriptor
{
    private readonly string _subject;
    private readonly int _runSize;

    internal KvmVcpu(KvmVm vm, int index) : base(Create(vm, index))
    {
        bool held = false;
        vm.DangerousAddRef(ref held);
        Vm = vm;
        Index = index;
        _subject = $"vCPU {index}";
        _runSize = vm.Kvm.VcpuMmapSize;
        // SAFETY: a shared mapping owned by this object; unmapped in ReleaseHandle, after the vCPU's thread is gone.
        void* run = LibC.mmap(null, (size_t)(ulong)_runSize, LibC.PROT_READ | LibC.PROT_WRITE, LibC.MAP_SHARED, Number, 0);
        if (run == LibC.MAP_FAILED)
        {
            int errno = LibC.errno;
            Dispose();
            throw new LinuxException("mmap", _subject, errno);
        }

        Run = (kvm_run*)run;
    }

    internal KvmVm Vm { get; }

    /// <summary>The vCPU's number and APIC id.</summary>
    internal int Index { get; }

    /// <summary>The shared page; valid until this object is disposed.</summary>
    internal kvm_run* Run { get; }

    /// <summary>KVM_SET_CPUID2 (KVM API 4.20).</summary>
    internal void SetCpuid(ReadOnlySpan<kvm_cpuid_entry2> entries)
    {
        // SAFETY: header and entries lie in one array, as the flexible array member of kvm_cpuid2 does.
        byte[] buffer = new byte[sizeof(kvm_cpuid2) + entries.Length * sizeof(kvm_cpuid_entry2)];
        fixed (byte* bytes = buffer)
        {
            var list = (kvm_cpuid2*)bytes;
            list->nent = (uint)entries.Length;
            entries.CopyTo(new Span<kvm_cpuid_entry2>(list + 1, entries.Length));
            Call(this, KVM_SET_CPUID2, list, nameof(KVM_SET_CPUID2), _subject);
        }
    }

    /// <summary>KVM_SET_SIGNAL_MASK (KVM API 4.18): the signals blocked while in the guest, in the kernel's 8-byte sigset_t.</summary>
    internal void SetSignalMask(ulong blocked)
    {
        byte* buffer = stackalloc byte[sizeof(kvm_signal_mask) + sizeof(ulong)];
        ((kvm_signal_mask*)buffer)->len = sizeof(ulong);
        *(ulong*)(buffer + sizeof(kvm_signal_mask)) = blocked;
        Call(this, KVM_SET_SIGNAL_MASK, buffer, nameof(KVM_SET_SIGNAL_MASK), _subject);
    }

    /// <summary>KVM_KVMCLOCK_CTRL (KVM API 4.69): tells a guest with kvmclock that it was stopped, so that its watchdogs stay quiet.</summary>
    internal void NotifyPaused() => _ = ioctl(Number, KVM_KVMCLOCK_CTRL, null); // EINVAL: the guest has no kvmclock.

    protected override bool ReleaseHandle()
    {
        if (Run is not null)
        {
            _ = LibC.munmap(Run, (size_t)(ulong)_runSize);
        }

        bool closed = base.ReleaseHandle();
        Vm.DangerousRelease();
        return closed;
    }

    private void Get<T>(uint request, ref T value, string name) where T : unmanaged
    {
        fixed (T* pointer = &value)
        {
            Call(this, request, pointer, name, _subject);
        }
    }

    private void Set<T>(uint request, in T value, string name) where T : unmanaged
    {
        fixed (T* pointer = &value)
        {
            Call(this, request, pointer, name, _subject);
        }
    }

    private static int Create(KvmVm vm, int index)
        => Call(vm, KVM_CREATE_VCPU, (void*)(nuint)(uint)index, nameof(KVM_CREATE_VCPU), $"vCPU {index}");
}
