using System.Globalization;
using Vmm.Core.Bus;
using Vmm.Core.Machine;
using Vmm.Kvm.Native;
using static Vmm.Kvm.Native.KvmConstants;

namespace Vmm.Kvm.Run;

/// <summary>What the guest comes out for. The I/O exits allocate nothing.</summary>
internal sealed unsafe partial class VcpuThread
{
    /// <summary>False when the guest has ended.</summary>
    private bool HandleExit()
    {
        switch (_run->exit_reason)
        {
            case KVM_EXIT_IO:
                HandlePortIo();
                return true;
            case KVM_EXIT_MMIO:
                HandleMmio();
                return true;
            case KVM_EXIT_INTR:
            case KVM_EXIT_IRQ_WINDOW_OPEN:
            case KVM_EXIT_HLT: // Halting is the kernel's business with an in-kernel irqchip.
                return true;
            case KVM_EXIT_SHUTDOWN:
                End(GuestEndCause.TripleFault, "triple fault: an exception could not be delivered, nor the double fault that followed");
                return false;
            case KVM_EXIT_SYSTEM_EVENT:
                HandleSystemEvent();
                return false;
            case KVM_EXIT_INTERNAL_ERROR:
                End(GuestEndCause.Crash, DescribeInternalError());
                return false;
            case KVM_EXIT_FAIL_ENTRY:
                End(GuestEndCause.Crash, string.Create(
                    CultureInfo.InvariantCulture,
                    $"KVM_EXIT_FAIL_ENTRY: the CPU refused the guest's state, hardware reason 0x{_run->fail_entry.hardware_entry_failure_reason:x}, host CPU {_run->fail_entry.cpu}"));
                return false;
            case KVM_EXIT_UNKNOWN:
                End(GuestEndCause.Crash, string.Create(
                    CultureInfo.InvariantCulture, $"KVM_EXIT_UNKNOWN: hardware exit reason 0x{_run->hw.hardware_exit_reason:x}"));
                return false;
            default:
                End(GuestEndCause.Crash, string.Create(CultureInfo.InvariantCulture, $"KVM exit {_run->exit_reason}, which is not handled here"));
                return false;
        }
    }

    private void HandlePortIo()
    {
        // SAFETY: KVM puts count elements of size bytes (at most one page) at data_offset of the shared area (KVM API 5, kvm_run.io).
        kvm_run._io io = _run->io;
        byte* data = (byte*)_run + io.data_offset;
        AddressBus ports = _ports;
        for (uint i = 0; i < io.count; i++, data += io.size)
        {
            var element = new Span<byte>(data, io.size);
            if (io.direction == KVM_EXIT_IO_OUT)
            {
                ports.Write(io.port, element);
            }
            else
            {
                ports.Read(io.port, element);
            }
        }
    }

    private void HandleMmio()
    {
        // SAFETY: data is inside the shared page, and KVM never gives more than 8 bytes.
        var data = new Span<byte>(_run->mmio.data, (int)Math.Min(_run->mmio.len, 8));
        if (_run->mmio.is_write != 0)
        {
            _mmio.Write(_run->mmio.phys_addr, data);
        }
        else
        {
            _mmio.Read(_run->mmio.phys_addr, data);
        }
    }

    private void HandleSystemEvent()
    {
        switch (_run->system_event.type)
        {
            case KVM_SYSTEM_EVENT_SHUTDOWN:
                _lifetime.End(new GuestEnd(GuestEndCause.PowerOff));
                break;
            case KVM_SYSTEM_EVENT_RESET:
                _lifetime.End(new GuestEnd(GuestEndCause.Reset));
                break;
            case KVM_SYSTEM_EVENT_CRASH:
                End(GuestEndCause.Crash, "the guest says that it has crashed");
                break;
            default:
                End(GuestEndCause.Crash, string.Create(CultureInfo.InvariantCulture, $"unknown system event {_run->system_event.type}"));
                break;
        }
    }

    private string DescribeInternalError()
    {
        uint suberror = _run->@internal.suberror;
        string name = suberror switch
        {
            KVM_INTERNAL_ERROR_EMULATION => "KVM could not emulate an instruction",
            KVM_INTERNAL_ERROR_SIMUL_EX => "two exceptions at once that can't be",
            KVM_INTERNAL_ERROR_DELIVERY_EV => "an exit during the delivery of an event",
            KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON => "an exit for a reason that KVM does not know",
            _ => "a suberror that is not known here",
        };
        var data = new ReadOnlySpan<ulong>(_run->@internal.data, (int)Math.Min(_run->@internal.ndata, 16));
        string text = string.Create(CultureInfo.InvariantCulture, $"KVM_EXIT_INTERNAL_ERROR {suberror}: {name}");
        if (suberror == KVM_INTERNAL_ERROR_EMULATION && data.Length >= 3
            && (_run->emulation_failure.flags & KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES) != 0)
        {
            int size = Math.Min((int)_run->emulation_failure.insn_size, 15);
            return $"{text} (bytes {Convert.ToHexStringLower(new ReadOnlySpan<byte>(_run->emulation_failure.insn_bytes, size))})";
        }

        foreach (ulong value in data)
        {
            text += string.Create(CultureInfo.InvariantCulture, $" 0x{value:x}");
        }

        return text;
    }
}
