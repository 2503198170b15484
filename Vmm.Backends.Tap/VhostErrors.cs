using Tmds.Linux;
using Vmm.Core.Linux;
using Vmm.Core.Network;
using static Vmm.Backends.Tap.Vhost;

namespace Vmm.Backends.Tap;

/// <summary>What went wrong while vhost-net was set up, each with what helps.</summary>
internal static class VhostErrors
{
    private const string Without = "or leave out vhost=on";

    public static LinuxException OpenDevice(int errno)
    {
        string advice = errno == LibC.ENOENT
            ? $"The kernel's vhost-net driver is not there: load it with `sudo modprobe vhost_net`, give the container the device (`--device {DevicePath}`), {Without}."
            : errno == LibC.ENODEV || errno == LibC.ENXIO
            ? $"The device node exists, its driver does not: load it with `sudo modprobe vhost_net`, {Without}."
            : errno == LibC.EACCES || errno == LibC.EPERM
            ? $"On most distributions it belongs to the group kvm: `sudo usermod -aG kvm $USER`, and log in again; or pass open ones with vhostfd=, {Without}."
            : $"Check it with `ls -l {DevicePath}`, {Without}.";
        return new LinuxException("open", DevicePath, errno, advice);
    }

    public static LinuxException SetOwner(int errno) => new(
        "ioctl(VHOST_SET_OWNER)", DevicePath, errno,
        errno == LibC.EBUSY ? $"Another process uses this descriptor: each needs one that was opened for it alone, and not used before."
        : errno == LibC.ENOMEM ? $"Its thread could not be started: raise the limit with ulimit -u, or the container's pids limit, {Without}."
        : null);

    /// <summary>A descriptor that was passed on is not what it should be.</summary>
    public static NetworkBackendException NotVhost(int fd, int errno, string? target)
        => new(errno == LibC.EBADF
            ? $"vhostfd={fd} is not an open descriptor: the starting process must pass it on (without close-on-exec)."
            : $"vhostfd={fd} is {target ?? "something"}, no {DevicePath}: open that, once for each queue pair.");

    public static NetworkBackendException Lacks(ulong missing)
        => new($"{DevicePath} lacks the features 0x{missing:x} that the guest's device has: use a newer kernel than this ({Environment.OSVersion.Version}), {Without}.");
}
