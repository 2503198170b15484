using Vmm.Backends.Tap;
using Vmm.Core.Devices;
using Vmm.Core.Devices.VirtioBlock;
using Vmm.Core.Devices.VirtioRng;
using Vmm.Core.Linux;
using Vmm.Core.Network;
using Vmm.Core.Virtio;
using Vmm.Devices.VirtioNet;
using Vmm.Kvm;
using static Vmm.Core.Machine.MachineLayout;

namespace Vmm.Cli.Machines;

// The devices of the command line.
internal sealed partial class Machine
{
    private MachineDevice AddDevice(KvmVirtualMachine hypervisor, int index)
    {
        MachineDevice device = _options.Devices[index] switch
        {
            NetworkDeviceOptions network => CreateCard(hypervisor, network, index),
            DiskDeviceOptions disk => CreateDisk(hypervisor, disk, index),
            RngDeviceOptions rng => CreateEntropySource(hypervisor, rng, index),
            DeviceOptions other => throw new ArgumentException($"{other.Id}: no such kind of device"),
        };
        _devices.Add(device);
        return device;
    }

    private NetworkCard CreateCard(KvmVirtualMachine hypervisor, NetworkDeviceOptions options, int index)
    {
        INetworkBackend backend = _adopted.Remove(index, out IDisposable? adopted) ? (INetworkBackend)adopted : OpenBackend(options);
        VirtioNetDevice? device = null;
        try
        {
            device = new(
                new VirtioNetConfig(options.Id!, options.Mac ?? MacAddress.Random())
                {
                    QueuePairs = options.Queues,
                    Mtu = options.Mtu,
                    SharedIoThread = options.Threads == NetworkThreads.Shared,
                },
                backend,
                _log);
            NetworkCard card = new(options, index, CreateTransport(hypervisor, options, device, index), device, backend);
            backend.UseMemory(_memory!);
            return card;
        }
        catch
        {
            device?.Dispose();
            backend.Dispose();
            throw;
        }
    }

    private Disk CreateDisk(KvmVirtualMachine hypervisor, DiskDeviceOptions options, int index)
    {
        DiskImage image = _adopted.Remove(index, out IDisposable? adopted) ? (DiskImage)adopted : OpenImage(options);
        try
        {
            VirtioBlockDevice device = new(new VirtioBlockConfig(options.Id!) { Queues = options.Queues, Serial = options.Serial ?? options.Id! }, image, _log);
            return new Disk(options, index, CreateTransport(hypervisor, options, device, index), device, image);
        }
        catch
        {
            image.Dispose();
            throw;
        }
    }

    private EntropySource CreateEntropySource(KvmVirtualMachine hypervisor, RngDeviceOptions options, int index)
    {
        // What little it does, the console's thread can do.
        VirtioRngDevice device = new(_loop ??= new("console"));
        return new EntropySource(options, index, CreateTransport(hypervisor, options, device, index), device);
    }

    private VirtioMmioTransport CreateTransport(KvmVirtualMachine hypervisor, DeviceOptions options, IVirtioDevice device, int index)
        => new(options.Id!, device, _memory!, hypervisor.GetInterruptLine(GetVirtioMmioSlot(index).Gsi), _log);

    /// <summary>Takes over the descriptors that were passed on with <c>fd=</c> and <c>fds=</c>.</summary>
    private void Adopt(MachineOptions options)
    {
        foreach (NetworkDeviceOptions network in options.Devices.OfType<NetworkDeviceOptions>())
        {
            foreach (int fd in network.Fds.Concat(network.VhostFds).Where(fd => !InheritedDescriptors.Contains(fd)))
            {
                throw new UserErrorException($"{network.Id}: descriptor {fd} is not open: whoever starts vmm must pass it on, without close-on-exec.");
            }
        }

        for (int i = 0; i < options.Devices.Count; i++)
        {
            if (options.Devices[i] is NetworkDeviceOptions network && network.Fds.Count + network.VhostFds.Count > 0)
            {
                _adopted.Add(i, OpenBackend(network));
            }
        }
    }

    private DiskImage OpenImage(DiskDeviceOptions options)
    {
        try
        {
            return DiskImage.Open(options, _arrives);
        }
        catch (DiskImageException e)
        {
            throw new UserErrorException($"{options.Id}: {e.Message}");
        }
    }

    private static INetworkBackend OpenBackend(NetworkDeviceOptions options) => options.Kind switch
    {
        NetworkBackendKind.Tap => TapBackend.Open(options),
        NetworkBackendKind.None => new NoneBackend(options.Queues),
        NetworkBackendKind.UnixDatagram => UnixDatagramBackend.Open(options),
        NetworkBackendKind.UnixStream => UnixStreamBackend.Open(options),
        _ => throw new ArgumentOutOfRangeException(nameof(options), options.Kind, "no such back end"),
    };
}
