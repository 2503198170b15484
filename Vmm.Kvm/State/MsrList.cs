using Vmm.Core.Linux;
using Vmm.Kvm.Native;

namespace Vmm.Kvm.State;

/// <summary>Which model-specific registers a vCPU's state consists of on this host.</summary>
internal static class MsrList
{
    private const uint IA32_TSC = 0x10;

    /// <summary>
    /// KVM_GET_MSR_INDEX_LIST and <see cref="UnlistedMsrs"/> without those that this vCPU can't read (their CPUID feature is off), in KVM's
    /// order, then in the other's.
    /// </summary>
    /// <param name="vcpu">A vCPU with its CPUID set.</param>
    /// <param name="listed">KVM_GET_MSR_INDEX_LIST.</param>
    /// <param name="withTsc">False when the TSC's offset is carried instead: a TSC written later would be a TSC that stood still.</param>
    internal static uint[] Readable(KvmVcpu vcpu, uint[] listed, bool withTsc)
    {
        uint[] candidates = [.. listed.Union(UnlistedMsrs.All)];
        var buffer = new MsrBuffer(candidates);
        var readable = new List<uint>(candidates.Length);
        for (int next = 0; next < candidates.Length; next++)
        {
            int done = buffer.Call(vcpu, KvmIoctl.KVM_GET_MSRS, next, candidates.Length - next);
            LinuxException.ThrowIfFailed(done, "ioctl(KVM_GET_MSRS)", $"vCPU {vcpu.Index}");
            readable.AddRange(candidates.AsSpan(next, done));
            next += done; // The one at which KVM stopped is left out.
        }

        return [.. readable.Where(i => withTsc || i != IA32_TSC)];
    }
}
