using Vmm.Kvm.Native;

namespace Vmm.Kvm.State;

/// <summary>
/// Model-specific registers in the form that KVM_GET_MSRS and KVM_SET_MSRS take: a kvm_msrs header directly before its entries.
/// The header is the second half of a spare entry at the front, so that the entries keep their type and alignment.
/// </summary>
internal sealed unsafe class MsrBuffer
{
    /// <summary>MAX_IO_MSRS of arch/x86/kvm/x86.c is 256, and fewer it must be; otherwise the answer is E2BIG.</summary>
    private const int MaxAtOnce = 255;

    private readonly kvm_msr_entry[] _slots;

    internal MsrBuffer(int count)
    {
        _slots = new kvm_msr_entry[count + 1];
        Used = count;
    }

    internal MsrBuffer(ReadOnlySpan<uint> indices) : this(indices.Length)
    {
        for (int i = 0; i < indices.Length; i++)
        {
            Entries[i].index = indices[i];
        }
    }

    internal Span<kvm_msr_entry> Entries => _slots.AsSpan(1);

    /// <summary>How many of the entries count.</summary>
    internal int Used { get; private set; }

    /// <summary>Fills this buffer with those of <paramref name="wanted"/> that differ from <paramref name="held"/>, in their order. False when the two do not name the same registers.</summary>
    internal bool TakeChanged(MsrBuffer held, MsrBuffer wanted)
    {
        ReadOnlySpan<kvm_msr_entry> before = held.Entries;
        ReadOnlySpan<kvm_msr_entry> after = wanted.Entries;
        Span<kvm_msr_entry> changed = Entries;
        if (before.Length != after.Length || changed.Length < after.Length)
        {
            return false;
        }

        int used = 0;
        for (int i = 0; i < after.Length; i++)
        {
            if (before[i].index != after[i].index)
            {
                return false;
            }

            if (before[i].data != after[i].data)
            {
                changed[used++] = after[i];
            }
        }

        Used = used;
        return true;
    }

    /// <summary>Issues an ioctl on the entries from <paramref name="first"/> on, several when they are many. Returns how many KVM has done, or -1.</summary>
    internal int Call(KvmVcpu vcpu, uint request, int first, int count)
    {
        int all = 0;
        while (all < count)
        {
            int part = Math.Min(count - all, MaxAtOnce);
            int done = CallOnce(vcpu, request, first + all, part);
            if (done < 0)
            {
                return done;
            }

            all += done;
            if (done < part)
            {
                break;
            }
        }

        return all;
    }

    private int CallOnce(KvmVcpu vcpu, uint request, int first, int count)
    {
        // SAFETY: first + count <= Entries.Length (checked by the slice); the header's 8 bytes are the second half of the slot before
        // the first entry, which is put back afterwards.
        _ = Entries.Slice(first, count);
        fixed (kvm_msr_entry* slots = _slots)
        {
            ulong* header = &slots[first].data;
            ulong saved = *header;
            *header = (uint)count;
            int done = KvmIoctl.ioctl(vcpu.Number, request, header);
            *header = saved;
            return done;
        }
    }
}
