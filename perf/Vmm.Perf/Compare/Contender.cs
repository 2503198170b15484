using System.Diagnostics;

namespace Vmm.Perf.Compare;

/// <summary>A virtual machine monitor with the command line that boots the demo guest on the TAP.</summary>
/// <param name="Name">The table's column.</param>
/// <param name="Program">The executable.</param>
/// <param name="Arguments">Serial port on standard output; 1 vCPU, 128 MiB in a memfd, one network card.</param>
/// <param name="GuestMemory">What <c>/proc/PID/smaps</c> calls the mapping of guest RAM.</param>
internal sealed record Contender(string Name, string Program, IReadOnlyList<string> Arguments, string GuestMemory)
{
    public const string Tap = "compare0";
    public const string GuestMac = "52:54:00:12:34:56";
    public const string GuestAddress = "10.11.12.2";
    public const string HostAddress = "10.11.12.1";

    private const string CommandLine = $"ip={GuestAddress}";

    public static Contender Vmm(string name, string program, string kernel) => new(
        name,
        program,
        [
            "run", "--kernel", kernel, "--append", CommandLine, "--cpus", "1", "--memory", "128M", "--console", "stdio",
            "--net", $"tap,ifname={Tap},mac={GuestMac}",
        ],
        "vmm-guest-ram");

    public static Contender Qemu(string name, string program, string kernel) => new(
        name,
        program,
        [
            "-M", "microvm,accel=kvm,x-option-roms=off,acpi=off,memory-backend=ram", "-cpu", "qemu64", "-global", "virtio-mmio.force-legacy=false",
            "-nodefaults", "-no-user-config", "-display", "none", "-smp", "1", "-m", "128M",
            "-object", "memory-backend-memfd,id=ram,size=128M,share=on", "-serial", "stdio", "-kernel", kernel, "-append", CommandLine,
            "-netdev", $"tap,id=net0,ifname={Tap},script=no,downscript=no,vhost=off", "-device", $"virtio-net-device,netdev=net0,mac={GuestMac}",
        ],
        "/memfd:memory-backend-memfd");

    /// <summary>The command as a shell would take it.</summary>
    public string CommandText => string.Join(' ', new[] { Program }.Concat(Arguments).Select(a => a.Contains(' ') ? $"'{a}'" : a));

    public ProcessStartInfo StartInfo()
    {
        ProcessStartInfo start = new(Program) { RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach (string argument in Arguments)
        {
            start.ArgumentList.Add(argument);
        }

        return start;
    }
}
