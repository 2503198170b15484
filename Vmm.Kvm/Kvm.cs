using System.Runtime.InteropServices;
using Tmds.Linux;
using Vmm.Core.Linux;
using Vmm.Kvm.Native;
using static Vmm.Kvm.Native.KvmIoctl;

namespace Vmm.Kvm;

/// <summary>An open /dev/kvm of the API version that this code knows, with every required capability.</summary>
internal sealed unsafe class Kvm : FileDescriptor
{
    private const string Subject = "/dev/kvm";

    private Kvm(int fd) : base(fd)
    {
    }

    /// <summary>Opens the device and checks the API version; see <see cref="CheckRequired"/> for the capabilities.</summary>
    /// <exception cref="LinuxException">The device is missing or closed to this user; the advice says what to do.</exception>
    internal static Kvm Open(string path)
    {
        byte* name = (byte*)Marshal.StringToCoTaskMemUTF8(path);
        int fd;
        try
        {
            fd = LibC.open(name, LibC.O_RDWR | LibC.O_CLOEXEC, 0);
        }
        finally
        {
            Marshal.FreeCoTaskMem((nint)name);
        }

        if (fd < 0)
        {
            int errno = LibC.errno;
            throw new LinuxException("open", path, errno, KvmAdvice.ForOpen(errno));
        }

        var kvm = new Kvm(fd);
        try
        {
            kvm.CheckApiVersion();
            return kvm;
        }
        catch
        {
            kvm.Dispose();
            throw;
        }
    }

    internal int ApiVersion => Call(this, KVM_GET_API_VERSION, null, nameof(KVM_GET_API_VERSION), Subject);

    /// <summary>Bytes of a vCPU's shared area.</summary>
    internal int VcpuMmapSize => Call(this, KVM_GET_VCPU_MMAP_SIZE, null, nameof(KVM_GET_VCPU_MMAP_SIZE), Subject);

    /// <summary>0 when the capability is absent; otherwise 1 or its value.</summary>
    internal int Check(KvmCapability capability)
        => Call(this, KVM_CHECK_EXTENSION, (void*)(nuint)(uint)capability, nameof(KVM_CHECK_EXTENSION), Subject);

    /// <exception cref="NotSupportedException">A required capability is missing; the message names all that are.</exception>
    internal void CheckRequired()
    {
        string[] missing = [.. KvmCapabilities.Required.Where(c => Check(c) == 0).Select(c => c.ToString())];
        if (missing.Length > 0)
        {
            throw new NotSupportedException($"This kernel's KVM lacks {string.Join(", ", missing)}, which a virtual machine needs here. Use Linux 5.10 or newer.");
        }
    }

    /// <summary>The CPUID leaves that KVM and the host's CPU can offer, unpatched.</summary>
    internal kvm_cpuid_entry2[] GetSupportedCpuid()
    {
        for (int capacity = 128; ; capacity *= 2)
        {
            // SAFETY: header and entries lie in one array, as the flexible array member of kvm_cpuid2 does.
            byte[] buffer = new byte[sizeof(kvm_cpuid2) + capacity * sizeof(kvm_cpuid_entry2)];
            fixed (byte* bytes = buffer)
            {
                var list = (kvm_cpuid2*)bytes;
                list->nent = (uint)capacity;
                if (ioctl(Number, KVM_GET_SUPPORTED_CPUID, list) >= 0)
                {
                    return new ReadOnlySpan<kvm_cpuid_entry2>(list + 1, (int)list->nent).ToArray();
                }

                if (LibC.errno != LibC.E2BIG)
                {
                    throw new LinuxException($"ioctl({nameof(KVM_GET_SUPPORTED_CPUID)})", Subject, LibC.errno);
                }
            }
        }
    }

    /// <summary>The MSRs that KVM says a vCPU's state consists of.</summary>
    internal uint[] GetMsrIndexList()
    {
        for (int capacity = 512; ; capacity *= 2)
        {
            uint[] buffer = new uint[1 + capacity];
            buffer[0] = (uint)capacity;
            fixed (uint* list = buffer)
            {
                if (ioctl(Number, KVM_GET_MSR_INDEX_LIST, list) >= 0)
                {
                    return buffer.AsSpan(1, (int)buffer[0]).ToArray();
                }

                if (LibC.errno != LibC.E2BIG)
                {
                    throw new LinuxException($"ioctl({nameof(KVM_GET_MSR_INDEX_LIST)})", Subject, LibC.errno);
                }
            }
        }
    }

    private void CheckApiVersion()
    {
        int version = ApiVersion;
        if (version != KvmConstants.KVM_API_VERSION)
        {
            throw new NotSupportedException($"/dev/kvm speaks API version {version}; version {KvmConstants.KVM_API_VERSION} is needed.");
        }
    }
}
