using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.DemoGuest;

/// <content>Finds virtio-mmio devices and sets up their queues. RDI: the device's registers.</content>
internal sealed partial class GuestProgram
{
    /// <summary>Looks at every device of the command line; a network interface that can be driven gets the next structure.</summary>
    private void ProbeDevices()
    {
        Label device = c.CreateLabel(), next = c.CreateLabel(), done = c.CreateLabel(), full = c.CreateLabel();
        c.mov(ebx, GuestLayout.Interfaces);
        c.mov(__qword_ptr[Variables.InterfacesEnd], rbx);
        c.xor(r15d, r15d);
        Place(ref device);
        c.cmp(r15d, __dword_ptr[Variables.DeviceCount]);
        c.jae(done);
        c.mov(ecx, r15d);
        c.shl(ecx, 4);
        c.mov(rdi, __qword_ptr[rcx + Variables.Devices]);
        // The tables map 4 GiB; a device above them is none of ours.
        c.mov(rax, rdi);
        c.shr(rax, 32);
        c.jnz(next);
        c.cmp(__dword_ptr[rdi + VirtioMmio.MagicValue], VirtioMmio.Magic);
        c.jne(next);
        c.cmp(__dword_ptr[rdi + VirtioMmio.Version], 2);
        c.jne(next);
        c.cmp(__dword_ptr[rdi + VirtioMmio.DeviceId], VirtioMmio.NetworkDevice);
        c.jne(next);
        c.mov(rbx, __qword_ptr[Variables.InterfacesEnd]);
        c.cmp(rbx, GuestLayout.Interfaces + (GuestLayout.MaximumInterfaces * GuestLayout.InterfaceSize));
        c.jae(full);
        c.mov(__qword_ptr[rbx + InterfaceLayout.MmioBase], rdi);
        c.mov(eax, __dword_ptr[rcx + (Variables.Devices + 8)]);
        c.mov(__dword_ptr[rbx + InterfaceLayout.Interrupt], eax);
        c.lea(eax, __[rbx - GuestLayout.Interfaces]);
        c.shr(eax, 12);
        c.mov(__dword_ptr[rbx + InterfaceLayout.Index], eax);
        c.call(To(InitializeInterface));
        Place(ref next);
        c.inc(r15d);
        c.jmp(device);
        Place(ref full);
        PrintLine($"demo guest: only {GuestLayout.MaximumInterfaces} network interfaces are driven, there are more");
        Place(ref done);
        c.ret();
    }

    /// <summary>Resets the device and lets it know a driver. Changes RAX.</summary>
    private void ResetDevice()
    {
        Label wait = c.CreateLabel();
        c.mov(__dword_ptr[rdi + VirtioMmio.Status], 0);
        Place(ref wait);
        c.cmp(__dword_ptr[rdi + VirtioMmio.Status], 0);
        c.jne(wait);
        c.mov(__dword_ptr[rdi + VirtioMmio.Status], VirtioMmio.StatusAcknowledge);
        c.mov(__dword_ptr[rdi + VirtioMmio.Status], VirtioMmio.StatusAcknowledge | VirtioMmio.StatusDriver);
        c.ret();
    }

    /// <summary>RAX: the device's features.</summary>
    private void ReadFeatures()
    {
        c.mov(__dword_ptr[rdi + VirtioMmio.DeviceFeaturesSelect], 1);
        c.mov(eax, __dword_ptr[rdi + VirtioMmio.DeviceFeatures]);
        c.shl(rax, 32);
        c.mov(__dword_ptr[rdi + VirtioMmio.DeviceFeaturesSelect], 0);
        c.mov(ecx, __dword_ptr[rdi + VirtioMmio.DeviceFeatures]);
        c.or(rax, rcx);
        c.ret();
    }

    /// <summary>RAX: the driver's features. AL = StatusFeaturesOk when the device takes them.</summary>
    private void WriteFeatures()
    {
        c.mov(__dword_ptr[rdi + VirtioMmio.DriverFeaturesSelect], 0);
        c.mov(__dword_ptr[rdi + VirtioMmio.DriverFeatures], eax);
        c.shr(rax, 32);
        c.mov(__dword_ptr[rdi + VirtioMmio.DriverFeaturesSelect], 1);
        c.mov(__dword_ptr[rdi + VirtioMmio.DriverFeatures], eax);
        c.mov(__dword_ptr[rdi + VirtioMmio.Status],
            VirtioMmio.StatusAcknowledge | VirtioMmio.StatusDriver | VirtioMmio.StatusFeaturesOk);
        c.mov(eax, __dword_ptr[rdi + VirtioMmio.Status]);
        c.and(eax, VirtioMmio.StatusFeaturesOk);
        c.ret();
    }

    /// <summary>
    /// ECX: queue, EDX: size, RSI, R8, R9: descriptors, available, used ring. Carry when the device allows no queue of that size.
    /// </summary>
    private void SetUpQueue()
    {
        Label done = c.CreateLabel();
        c.mov(__dword_ptr[rdi + VirtioMmio.QueueSelect], ecx);
        c.mov(eax, __dword_ptr[rdi + VirtioMmio.QueueSizeMaximum]);
        c.cmp(eax, edx);
        c.jb(done);
        c.mov(__dword_ptr[rdi + VirtioMmio.QueueSize], edx);
        PutAddress(VirtioMmio.QueueDescriptors, rsi);
        PutAddress(VirtioMmio.QueueDriver, r8);
        PutAddress(VirtioMmio.QueueDevice, r9);
        c.mov(__dword_ptr[rdi + VirtioMmio.QueueReady], 1);
        c.clc();
        Place(ref done);
        c.ret();
    }

    private void PutAddress(int register, AssemblerRegister64 address)
    {
        c.mov(rax, address);
        c.mov(__dword_ptr[rdi + register], eax);
        c.shr(rax, 32);
        c.mov(__dword_ptr[rdi + (register + 4)], eax);
    }
}
