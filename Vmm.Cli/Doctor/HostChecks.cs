using System.Globalization;
using System.Runtime.InteropServices;
using Tmds.Linux;
using Vmm.Backends.Tap;
using Vmm.Core.Linux;
using Vmm.Core.Memory;
using Vmm.Core.Network;

namespace Vmm.Cli.Doctor;

/// <summary>What <c>vmm doctor</c> looks at besides KVM. Everything is read; nothing on the host is changed.</summary>
internal static class HostChecks
{
    private const ulong LowMemory = 512ul << 20;
    private const ulong FewFiles = 1024;
    private const string Unlimited = "unlimited";

    public static Finding Platform()
    {
        string state = $"{RuntimeInformation.OSDescription.Split('#')[0].Trim()}, {RuntimeInformation.ProcessArchitecture}, {Environment.ProcessorCount} CPUs";
        return OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64
            ? new Finding(Verdict.Good, "platform", state)
            : new Finding(Verdict.Bad, "platform", state, "vmm runs on Linux on x86-64 only.");
    }

    public static Finding Tun()
    {
        const string Device = "/dev/net/tun";
        try
        {
            using FileStream tun = new(Device, FileMode.Open, FileAccess.ReadWrite);
            return new Finding(Verdict.Good, Device, "opens for reading and writing");
        }
        catch (UnauthorizedAccessException)
        {
            return new Finding(Verdict.Limited, Device, "may not be opened by this user: no --net tap, no vmm demo",
                "Let everybody open it, as most distributions do: sudo chmod 0666 /dev/net/tun (making an interface still needs privilege).")
            { PreventsDemo = true };
        }
        catch (FileNotFoundException)
        {
            return MissingTun(Device);
        }
        catch (DirectoryNotFoundException)
        {
            return MissingTun(Device);
        }
        catch (IOException e)
        {
            return new Finding(Verdict.Limited, Device, $"can't be opened ({e.Message}): no --net tap, no vmm demo",
                e.HResult == LibC.EMFILE ? LinuxException.FilesAdvice : "Load the driver: sudo modprobe tun.")
            { PreventsDemo = true };
        }
    }

    public static Finding Vhost()
    {
        try
        {
            TapBackend.CheckVhost();
            return new Finding(Verdict.Good, TapBackend.VhostPath, "opens, and has what --net tap,vhost=on needs");
        }
        catch (LinuxException e)
        {
            return new Finding(Verdict.Limited, TapBackend.VhostPath, $"can't be opened: {LinuxException.Describe(e.Errno)}: no --net tap,vhost=on", e.Advice);
        }
        catch (NetworkBackendException e)
        {
            return new Finding(Verdict.Limited, TapBackend.VhostPath, "is too old: no --net tap,vhost=on", e.Message);
        }
    }

    public static Finding Privileges()
        => !UserNamespace.IsNeeded
            ? new Finding(Verdict.Good, "privileges", $"user {Environment.UserName} with CAP_NET_ADMIN and CAP_SYS_ADMIN: may make interfaces and network namespaces")
            : new Finding(Verdict.Limited, "privileges", $"user {Environment.UserName} without CAP_NET_ADMIN or CAP_SYS_ADMIN: can't make interfaces in the host's network",
                "Make a TAP once for yourself: sudo ip tuntap add dev vmtap0 mode tap user $USER vnet_hdr && sudo ip link set dev vmtap0 up; "
                + "vmm demo needs only user namespaces.");

    public static Finding UserNamespaces()
        => UserNamespace.FindObstacle() is { } obstacle
            ? new Finding(Verdict.Limited, "user namespaces", "not available: vmm demo needs root", obstacle) { PreventsDemo = UserNamespace.IsNeeded }
            : new Finding(Verdict.Good, "user namespaces", "available: vmm demo needs no root, only access to /dev/kvm and /dev/net/tun");

    public static Finding Memory()
    {
        ulong available = MemoryInfo("MemAvailable:") << 10;
        string state = $"{ByteSize.Format(available)} of {ByteSize.Format(MemoryInfo("MemTotal:") << 10)} available";
        if (ReadText("/sys/fs/cgroup/memory.max") is { } text && ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong limit))
        {
            state += $", {ByteSize.Format(limit)} allowed to this control group";
            available = Math.Min(available, limit);
        }

        return available >= LowMemory
            ? new Finding(Verdict.Good, "memory", state)
            : new Finding(Verdict.Limited, "memory", state, "Guests take what they touch: choose a small --memory (the demo guest needs 32M), or free some.");
    }

    public static Finding OpenFiles()
    {
        string limit = Limit("Max open files");
        return IsAtLeast(limit, FewFiles)
            ? new Finding(Verdict.Good, "open files (ulimit -n)", limit)
            : new Finding(Verdict.Limited, "open files (ulimit -n)", limit, "A VM takes about 20 and 5 for each queue pair; raise the limit: ulimit -n 4096.");
    }

    public static Finding LockedMemory()
    {
        string limit = Limit("Max locked memory");
        string state = limit == Unlimited ? limit : ByteSize.Format(ulong.Parse(limit, CultureInfo.InvariantCulture));
        // vmm locks nothing; KVM and eventfds do not count against it either.
        return new Finding(Verdict.Good, "locked memory (ulimit -l)", $"{state}; vmm locks none");
    }

    public static Finding HugePages()
    {
        ulong total = MemoryInfo("HugePages_Total:");
        ulong free = MemoryInfo("HugePages_Free:");
        ulong size = MemoryInfo("Hugepagesize:") << 10;
        return free > 0
            ? new Finding(Verdict.Good, "huge pages", $"{free} of {total} free, {ByteSize.Format(size)} each: up to --memory {(free * size) >> 20}M --hugepages")
            : new Finding(Verdict.Limited, "huge pages", total == 0 ? "none reserved: no --hugepages" : $"all {total} in use: no --hugepages",
                "Reserve some for 2 MiB each, here for a guest of 256M: sudo sysctl vm.nr_hugepages=128.");
    }

    public static Finding TransparentHugePages()
        => GuestMemoryFile.HasTransparentHugePages
            ? new Finding(Verdict.Good, "transparent huge pages", "for the RAM of every guest, as far as the host has any")
            : new Finding(Verdict.Limited, "transparent huge pages", "not for memory that processes share, as a guest's RAM is: its pages are of 4 KiB",
                "Let programs ask for them: echo advise | sudo tee /sys/kernel/mm/transparent_hugepage/shmem_enabled (as root, vmm has them anyway).");

    private static Finding MissingTun(string device) => new(Verdict.Limited, device, "is not there: no --net tap, no vmm demo",
        "Load the driver: sudo modprobe tun. In a container, pass the device in: --device /dev/net/tun.")
    { PreventsDemo = true };

    private static bool IsAtLeast(string limit, ulong least)
        => limit == Unlimited || (ulong.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out ulong value) && value >= least);

    /// <summary>The soft limit of a row of /proc/self/limits.</summary>
    private static string Limit(string row)
    {
        foreach (string line in File.ReadLines("/proc/self/limits"))
        {
            if (line.StartsWith(row, StringComparison.Ordinal))
            {
                return line[row.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0];
            }
        }

        return Unlimited;
    }

    /// <summary>A number of /proc/meminfo in its own unit; 0 when there is no such row.</summary>
    private static ulong MemoryInfo(string row)
    {
        foreach (string line in File.ReadLines("/proc/meminfo"))
        {
            if (line.StartsWith(row, StringComparison.Ordinal))
            {
                string number = line[row.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0];
                return ulong.Parse(number, CultureInfo.InvariantCulture);
            }
        }

        return 0;
    }

    private static string? ReadText(string path) => File.Exists(path) ? File.ReadAllText(path).Trim() : null;
}
