using System.CommandLine;
using System.CommandLine.Parsing;
using Vmm.Cli.Machines;
using Vmm.Cli.Qmp;
using Vmm.Core.Consoles;
using Vmm.Core.Devices;
using Vmm.Core.Devices.VirtioBlock;
using Vmm.Core.Devices.VirtioRng;
using Vmm.Core.Machine;
using Vmm.Core.Memory;
using Vmm.Core.Network;
using Vmm.Migration.Channels;

namespace Vmm.Cli.Commands;

/// <summary><c>vmm run</c>: boots a guest and stays until it ends.</summary>
internal sealed class RunCommand : Command, IExamples
{
    /// <summary>The most that any Linux supports (KVM_MAX_VCPUS); what this host supports is asked when the machine is built.</summary>
    private const int MaxCpus = 4096;

    /// <summary><c>--incoming defer</c>.</summary>
    private const string Defer = "defer";

    private readonly Option<string?> _kernel = new("--kernel", "-k")
    {
        Description = "A Linux kernel (bzImage, as /boot/vmlinuz, or ELF vmlinux), any ELF64 kernel with a PVH note or a 64-bit entry, or 'demo' for the built-in demo guest.",
        HelpName = "file|demo",
    };

    private readonly Option<string?> _incoming = new("--incoming")
    {
        Description = "Instead of booting a kernel, wait for a VM that vmm migrate sends: unix:PATH, tcp:HOST:PORT, fd:N, exec:COMMAND, file:PATH, "
            + "or defer, to be told by QMP's migrate-incoming. Its RAM, vCPUs and devices are as they were; --net says what a device is to be attached to now, by id=.",
        HelpName = "uri|defer",
    };

    private readonly Option<string?> _initrd = new("--initrd") { Description = "An initial RAM disk, passed as a boot module.", HelpName = "file" };

    private readonly Option<string> _append = new("--append", "-a")
    {
        Description = "The kernel's command line.",
        HelpName = "text",
        DefaultValueFactory = _ => "",
    };

    private readonly Option<int> _cpus = new("--cpus", "-c")
    {
        Description = "Number of vCPUs; all but the first wait for the guest to start them.",
        HelpName = "n",
        DefaultValueFactory = _ => 1,
        CustomParser = ParseCpus,
    };

    private readonly Option<MemorySize> _memory = new("--memory", "-m")
    {
        Description = "Guest RAM: a number with K, M or G.",
        HelpName = "size",
        DefaultValueFactory = _ => new MemorySize(256 << 20),
    };

    private readonly Option<bool> _hugePages = new("--hugepages") { Description = "Back guest RAM by the host's huge pages of 2 MiB." };

    private readonly Option<bool> _prealloc = new("--prealloc") { Description = "Take all guest RAM from the host before the guest starts." };

    private readonly Option<NetworkDeviceOptions[]> _net = new("--net", "-n")
    {
        Description = "A network device; may be repeated. tap,ifname=NAME[,sndbuf=BYTES][,vhost=on] | tap,fd=N[,vhost=on] | none | unix-dgram,path=P,peer=P | unix-stream,path=P; "
            + "each with id=, mac=, mtu=, queues= (1 to 16) and iothread=per-queue|shared.",
        HelpName = "backend[,key=value...]",
        CustomParser = ParseNet,
    };

    private readonly Option<DiskDeviceOptions[]> _disk = new("--disk", "-d")
    {
        Description = "A disk; may be repeated. path=FILE (a raw image or a block device), with id=, readonly=on|off, cache=writeback|none|unsafe, serial= and "
            + "queues= (1 to 16). The image is locked: no other VM can use it, unless both only read it.",
        HelpName = "path=file[,key=value...]",
        CustomParser = ParseDisks,
    };

    private readonly Option<string?> _rng = new("--rng")
    {
        Description = "A virtio entropy device, which gives the guest random numbers of the host. On, unless --kernel is demo, which has no use for it.",
        HelpName = "on|off",
    };

    private readonly Option<ConsoleOptions> _console = new("--console")
    {
        Description = "Where COM1 goes: stdio (Ctrl-A x ends the VM), file:PATH, pty, unix:PATH or none.",
        HelpName = "where",
        DefaultValueFactory = _ => ConsoleOptions.Parse("stdio"),
        CustomParser = ParseConsole,
    };

    private readonly Option<string?> _name = new("--name")
    {
        Description = "The VM's name, for messages and for vmm list, qmp and stop. No two running VMs have the same. Without it, vm, vm-2 and so on.",
        HelpName = "name",
    };

    private readonly Option<string?> _qmp = new("--qmp")
    {
        Description = "Where the QMP socket is. Without it, NAME.qmp in $XDG_RUNTIME_DIR/vmm or /run/vmm, where vmm list looks.",
        HelpName = "path|none",
    };

    private readonly Option<bool> _plainCommandLine = new("--no-virtio-mmio-cmdline")
    {
        Description = "Do not append virtio_mmio.device=... for each device to the command line of a kernel that is not Linux. Linux finds its devices by ACPI.",
    };

    public RunCommand() : base("run", "Boots a guest and stays until it ends.")
    {
        _memory.CustomParser = ParseMemory;
        foreach (Option option in (Option[])[_kernel, _incoming, _initrd, _append, _cpus, _memory, _hugePages, _prealloc, _net, _disk, _rng.AcceptOnlyFromAmong("on", "off"), _console, _name, _qmp, _plainCommandLine])
        {
            Add(option);
        }

        foreach (Option option in (Option[])[_kernel, _incoming, _initrd, _name, _qmp])
        {
            option.Validators.Add(EmptyValue.Refuse);
        }

        _name.Validators.Add(CheckName);
        _incoming.Validators.Add(CheckUri);
        Validators.Add(CheckBoot);
        Validators.Add(CheckDevices);
        SetAction(Run);
    }

    public string Examples => """
        vmm run --kernel demo --append "ip=10.0.0.2" --net tap,ifname=vmtap0
        vmm run --kernel demo --append "ip=10.0.0.2 queues=4" --net tap,ifname=vmtap0,queues=4,mac=52:54:00:12:34:56 --console file:guest.log
        vmm run --kernel demo --append "ip=10.0.0.2 ip1=10.0.1.2" --net tap,ifname=vmtap0 --net tap,ifname=vmtap1 --memory 1G
        vmm run --kernel vmlinuz --append "console=ttyS0 root=/dev/vda rw" --disk path=root.img --net tap,ifname=vmtap0
        vmm run --kernel test.elf --console none; echo "the guest says $?"
        vmm run --incoming unix:/run/vmm/next --name next
        """;

    private int Run(ParseResult parsed) => parsed.GetValue(_incoming) is { } uri ? Receive(parsed, uri) : Boot(parsed);

    private int Receive(ParseResult parsed, string uri)
    {
        IncomingOptions options = new()
        {
            Name = parsed.GetValue(_name),
            Qmp = parsed.GetValue(_qmp),
            Console = parsed.GetRequiredValue(_console),
            Populate = parsed.GetValue(_prealloc),
            Replacements = [.. MachineOptions.WithIds(parsed.GetValue(_net) ?? [], "net"), .. MachineOptions.WithIds(parsed.GetValue(_disk) ?? [], "disk")],
        };
        return MachineRunner.Await(options, uri == Defer ? null : MigrationUri.Parse(uri), CommandLine.CreateLogger(parsed));
    }

    private int Boot(ParseResult parsed)
    {
        MachineOptions options = new()
        {
            Name = parsed.GetValue(_name),
            Qmp = parsed.GetValue(_qmp),
            Kernel = parsed.GetValue(_kernel)!,
            Initrd = parsed.GetValue(_initrd),
            CommandLine = parsed.GetRequiredValue(_append),
            CpuCount = parsed.GetValue(_cpus),
            Memory = parsed.GetValue(_memory).Bytes,
            HugePages = parsed.GetValue(_hugePages),
            Populate = parsed.GetValue(_prealloc),
            Devices = GetDevices(parsed.GetValue(_net), parsed.GetValue(_disk), parsed.GetValue(_rng), parsed.GetValue(_kernel)),
            Console = parsed.GetRequiredValue(_console),
            AnnounceDevices = !parsed.GetValue(_plainCommandLine),
        };
        return MachineRunner.Run(options, CommandLine.CreateLogger(parsed));
    }

    /// <summary>By their slots. The demo guest has no driver for an entropy device.</summary>
    private static DeviceOptions[] GetDevices(NetworkDeviceOptions[]? networks, DiskDeviceOptions[]? disks, string? rng, string? kernel) =>
    [
        .. MachineOptions.WithIds(networks ?? [], "net"),
        .. MachineOptions.WithIds(disks ?? [], "disk"),
        .. (rng ?? (kernel == MachineOptions.DemoKernel ? "off" : RngDeviceOptions.Text)) == RngDeviceOptions.Text ? (DeviceOptions[])[new RngDeviceOptions()] : [],
    ];

    private void CheckDevices(CommandResult result)
    {
        if (result.GetResult(_incoming) is not null)
        {
            return;
        }

        DeviceOptions[] devices;
        try
        {
            devices = GetDevices(result.GetValue(_net), result.GetValue(_disk), result.GetValue(_rng), result.GetValue(_kernel));
        }
        catch (InvalidOperationException)
        {
            return; // one of the options has an error, which is reported by itself
        }

        if (devices.Length > MachineLayout.MaxVirtioDevices)
        {
            string all = string.Join(" and ", devices.CountBy(device => device.OptionName).Select(kind => $"{kind.Value} {kind.Key}"));
            result.AddError($"{all} options are more than the {MachineLayout.MaxVirtioDevices} devices that a machine has room for.");
        }

        foreach (IGrouping<string, DeviceOptions> same in devices.GroupBy(device => device.Id!).Where(same => same.DistinctBy(device => device.OptionName).Count() > 1))
        {
            result.AddError($"{string.Join(" and ", same.Select(device => device.OptionName))} have the same id, {same.Key}; give each its own.");
        }
    }

    /// <summary>Either a kernel is booted, or a machine comes, which is as it was.</summary>
    private void CheckBoot(CommandResult result)
    {
        if (result.GetResult(_incoming) is null)
        {
            if (result.GetResult(_kernel) is null)
            {
                result.AddError("Option '--kernel' is required, or '--incoming'.");
            }

            return;
        }

        foreach (Option option in (Option[])[_kernel, _initrd, _append, _cpus, _memory, _hugePages, _rng, _plainCommandLine])
        {
            if (result.GetResult(option) is { Implicit: false })
            {
                result.AddError($"{option.Name} does not go with --incoming: that is as it was where the machine comes from.");
            }
        }
    }

    private static void CheckUri(OptionResult result)
    {
        if (result.Tokens is [{ Value: { Length: > 0 } uri }] && uri != Defer
            && !MigrationUri.TryParse(uri, out _, out string? error))
        {
            result.AddError($"--incoming {error}");
        }
    }

    private static void CheckName(OptionResult result)
    {
        if (result.Tokens is [{ Value: { Length: > 0 } name }] && ControlSocket.Refuse(name) is { } reason)
        {
            result.AddError($"--name {name}: {reason}.");
        }
    }

    private static int ParseCpus(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        if (int.TryParse(text, out int count) && count is >= 1 and <= MaxCpus)
        {
            return count;
        }

        result.AddError($"--cpus {text} is not a number from 1 to {MaxCpus}.");
        return 0;
    }

    private MemorySize ParseMemory(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        if (!ByteSize.TryParse(text, out ulong bytes))
        {
            result.AddError($"--memory {text} is no size; write a whole number with K, M or G, as in 256M.");
        }
        else if (bytes > MemorySize.Most)
        {
            result.AddError($"--memory {text} is more than {MemorySize.Most >> 40}T, all that x86-64 can address; write for example 256M.");
        }
        else if (bytes < MachineLayout.MinimumMemory || bytes % 4096 != 0)
        {
            result.AddError($"--memory {text} is less than {MachineLayout.MinimumMemory >> 20}M or no multiple of 4K; write for example 256M.");
        }
        else if (bytes % GuestMemory.HugePageSize != 0 && result.GetResult(_hugePages) is { Implicit: false, Tokens: not [{ Value: "false" }] })
        {
            result.AddError($"--memory {text} is no multiple of 2M, which --hugepages needs; write for example 256M.");
        }

        return new MemorySize(bytes);
    }

    private static NetworkDeviceOptions[] ParseNet(ArgumentResult result)
    {
        List<NetworkDeviceOptions> networks = [];
        foreach (Token token in result.Tokens)
        {
            if (NetworkDeviceOptions.TryParse(token.Value, out NetworkDeviceOptions? options, out string? error))
            {
                networks.Add(options);
            }
            else
            {
                result.AddError(error);
                return [];
            }
        }

        if (NetworkConflict.Find(networks) is { } conflict)
        {
            result.AddError(conflict);
        }

        return [.. networks];
    }

    private static DiskDeviceOptions[] ParseDisks(ArgumentResult result)
    {
        List<DiskDeviceOptions> disks = [];
        foreach (Token token in result.Tokens)
        {
            if (!DiskDeviceOptions.TryParse(token.Value, out DiskDeviceOptions? options, out string? error))
            {
                result.AddError(error);
                return [];
            }

            // Wherever the machine goes on, another working directory is not meant.
            disks.Add(options with { Path = Path.GetFullPath(options.Path) });
        }

        foreach (IGrouping<string, DiskDeviceOptions> same in MachineOptions.WithIds(disks, "disk").GroupBy(disk => disk.Id!).Where(same => same.Count() > 1))
        {
            result.AddError($"Two --disk options have the id {same.Key}; give each its own.");
        }

        return [.. disks];
    }

    private static ConsoleOptions? ParseConsole(ArgumentResult result)
    {
        try
        {
            return ConsoleOptions.Parse(result.Tokens[0].Value);
        }
        catch (FormatException e)
        {
            result.AddError(e.Message);
            return null;
        }
    }
}
