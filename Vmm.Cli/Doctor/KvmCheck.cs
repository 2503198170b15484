using Microsoft.Extensions.Logging.Abstractions;
using Vmm.Core.Bus;
using Vmm.Core.Hypervisor;
using Vmm.Core.Linux;
using Vmm.Core.Machine;
using Vmm.Kvm;

namespace Vmm.Cli.Doctor;

/// <summary>The one check that decides: an empty virtual machine is made and taken down again.</summary>
internal static class KvmCheck
{
    private const string Device = "/dev/kvm";

    public static Finding Run()
    {
        try
        {
            VirtualMachineConfig config = new(new AddressBus("port I/O"), new AddressBus("MMIO"), new MachineLifetime(), NullLogger.Instance);
            using KvmVirtualMachine machine = new(config, new KvmOptions());
            string state = $"{machine.Description}, up to {machine.MaxCpuCount} vCPUs";
            return machine.Limitation is { } limitation
                ? new Finding(Verdict.Limited, Device, state, char.ToUpperInvariant(limitation[0]) + limitation[1..])
                : new Finding(Verdict.Good, Device, state);
        }
        catch (LinuxException e)
        {
            return new Finding(Verdict.Bad, Device, $"{e.Call} on {e.Subject} failed with errno {e.Errno}", e.Advice);
        }
        catch (NotSupportedException e)
        {
            return new Finding(Verdict.Bad, Device, "too old", e.Message);
        }
    }
}
