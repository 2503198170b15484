using Tmds.Linux;
using Vmm.Core.Linux;
using Vmm.Core.Network;
using static Vmm.Backends.Tap.Tun;

namespace Vmm.Backends.Tap;

/// <summary>What went wrong while a TAP was set up, each with the command that helps.</summary>
internal static class TapErrors
{
    public static LinuxException OpenDevice(int errno)
    {
        string advice = errno == LibC.ENOENT
            ? "The kernel's TUN driver is not there: load it with `sudo modprobe tun`, "
                + "or give the container the device (`--device /dev/net/tun`)."
            : errno == LibC.ENODEV || errno == LibC.ENXIO
            ? "The device node exists, its driver does not: load it with `sudo modprobe tun`."
            : errno == LibC.EACCES || errno == LibC.EPERM
            ? "Run as root, let everybody open it with `sudo chmod 0666 /dev/net/tun` (making an interface still needs privilege), "
                + "or pass an open TAP with fd=."
            : "Check it with `ls -l /dev/net/tun`.";
        return new LinuxException("open", DevicePath, errno, advice);
    }

    /// <summary>TUNSETIFF failed; <paramref name="info"/> is what was found under the name before.</summary>
    public static LinuxException Attach(int errno, string name, int queues, NetworkLinkInfo? info)
    {
        // A template such as vmtap%d, of which the kernel makes a name, is of no use to `ip`.
        bool isTemplate = name.Contains('%', StringComparison.Ordinal);
        string advice = errno == LibC.EPERM && isTemplate
            ? $"Making an interface needs CAP_NET_ADMIN. Make one once for yourself and name it with ifname=vmtap0: {Recipe("vmtap0", queues)}"
            : errno == LibC.EPERM && info is null
            ? $"Making an interface needs CAP_NET_ADMIN. Make it once for yourself: {Recipe(name, queues)}"
            : errno == LibC.EPERM
            ? $"It belongs to {(info!.TunOwner is { } owner ? $"user {owner}" : "root")}. "
                + $"Make one for yourself under another name: {Recipe("vmtap0", queues)}"
            : errno == LibC.EBUSY
            ? $"Another process has it open, or it exists already. Stop that process, or make another TAP: {Recipe("vmtap1", queues)}"
            : errno == LibC.EINVAL
            ? $"The name is taken by something that is no TAP with {(queues > 1 ? "several queues" : "one queue")}. "
                + $"Make another TAP: {Recipe("vmtap1", queues)}"
            : errno == LibC.E2BIG
            ? $"A TAP has at most {MAX_TAP_QUEUES} queues, all processes together."
            : isTemplate ? $"Make one and name it with ifname=vmtap0: {Recipe("vmtap0", queues)}"
            : $"Look at it with `ip -details link show dev {name}`.";
        return new LinuxException("ioctl(TUNSETIFF)", isTemplate ? "a new interface" : $"interface {name}", errno, advice);
    }

    public static NetworkBackendException NotTap(NetworkLinkInfo info, int queues)
        => new($"ifname={info.Name} is no TAP but "
            + (info.TunType == TunType.Tun ? "a TUN interface (IP packets, no Ethernet frames). " : $"a {info.Kind ?? "physical"} interface. ")
            + $"Choose another name, or make a TAP: {Recipe("vmtap0", queues)}");

    public static NetworkBackendException InUse(NetworkLinkInfo info, int queues)
        => new($"ifname={info.Name} is in use: another process holds {info.TunQueues} of its queues open, and would lose frames to this one. "
            + $"Stop it, pass its descriptors with fd=, or make another TAP: {Recipe("vmtap1", queues)}");

    public static NetworkBackendException SingleQueue(NetworkLinkInfo info, int queues)
        => new($"queues={queues} does not fit ifname={info.Name}, which was made with one queue. Use queues=1, or make it again: "
            + $"`sudo ip link del {info.Name}` and {Recipe(info.Name, queues)}");

    public static NetworkBackendException Exists(string name)
        => new($"ifname={name} exists already. Choose another name, or remove it with `sudo ip link del {name}`.");

    public static NetworkBackendException Missing(string name, int queues)
        => new($"ifname={name} does not exist. Make it: {Recipe(name, queues)}");

    private static string Recipe(string name, int queues)
        => $"`sudo ip tuntap add dev {name} mode tap user $USER vnet_hdr{(queues > 1 ? " multi_queue" : "")} && sudo ip link set dev {name} up`.";
}
