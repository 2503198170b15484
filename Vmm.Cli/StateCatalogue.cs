using Vmm.Backends.Tap;
using Vmm.Cli.Qmp;
using Vmm.Core.Consoles;
using Vmm.Core.Devices.Power;
using Vmm.Core.Devices.Uart;
using Vmm.Core.Devices.VirtioBlock;
using Vmm.Core.State;
using Vmm.Core.Virtio;
using Vmm.Devices.VirtioNet;
using Vmm.Kvm;
using Vmm.Migration.Stream;

namespace Vmm.Cli;

/// <summary>Every kind of section that this program reads and writes, known without a machine.</summary>
internal static class StateCatalogue
{
    public static IReadOnlyList<StateKind> Kinds { get; } =
    [
        Machines.Machine.RunStateKind,
        UartDevice.StateKind,
        PowerDevice.StateKind,
        TapBackend.StateKind,
        VirtioNetDevice.StateKind,
        VirtioBlockDevice.StateKind,
        VirtioMmioTransport.StateKind,
        ConsoleFactory.StateKind,
        QmpServer.StateKind,
        .. KvmVirtualMachine.StateKinds,
        .. MachineStream.StateKinds,
    ];

    /// <summary>Null when this program does not know <paramref name="stateName"/>.</summary>
    public static StateKind? Find(string stateName) => Kinds.FirstOrDefault(kind => kind.Name == stateName);
}
