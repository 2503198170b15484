using Microsoft.Extensions.Logging;
using Vmm.Core.Bus;
using Vmm.Core.Machine;

namespace Vmm.Core.Hypervisor;

/// <summary>What a hypervisor needs to know of the machine around it.</summary>
/// <param name="Ports">Where port I/O exits go.</param>
/// <param name="Mmio">Where MMIO exits go.</param>
/// <param name="Lifetime">Told when a vCPU ends the machine: a crash or a triple fault.</param>
/// <param name="Log">For what is no error but worth a line.</param>
public sealed record VirtualMachineConfig(AddressBus Ports, AddressBus Mmio, MachineLifetime Lifetime, ILogger Log);
