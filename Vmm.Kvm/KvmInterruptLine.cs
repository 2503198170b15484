using Vmm.Core.Interrupts;

namespace Vmm.Kvm;

/// <summary>
/// An input pin of the interrupt controllers. Protocol: the level is changed under the lock, ioctl first and then the field, so that
/// the field never claims a level that KVM has not been told; a caller who finds its level in the field needs no lock.
/// </summary>
internal sealed class KvmInterruptLine(KvmVm vm, Gsi gsi) : IInterruptLine
{
    private const int Low = 0, High = 1, Unknown = 2;

    private readonly Lock _lock = new();
    private volatile int _level = Low;

    public void SetLevel(bool raised)
    {
        int level = raised ? High : Low;
        if (_level == level)
        {
            return;
        }

        lock (_lock)
        {
            if (_level != level)
            {
                vm.SetIrqLine(gsi, raised);
                _level = level;
            }
        }
    }

    /// <summary>After a restore KVM's level is not known here: the next call goes through whatever it sets.</summary>
    internal void Forget()
    {
        lock (_lock)
        {
            _level = Unknown;
        }
    }
}
