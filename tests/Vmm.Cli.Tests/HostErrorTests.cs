using Vmm.Testing.Network;

namespace Vmm.Cli.Tests;

/// <summary>What the host refuses: one sentence on stderr with what to do, exit code 125, no stack trace.</summary>
public sealed class HostErrorTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public HostErrorTests() => Host.RequireKvm();

    [Fact]
    public void Kernel_IsNotThere() => Expect("there is no such file", "--kernel", "/no/such/kernel");

    [Fact]
    public void Kernel_IsAFolder() => Expect("it is a directory", "--kernel", "/tmp");

    [Fact]
    public void Kernel_IsNoElf() => Expect("it is neither an ELF file nor a bzImage", "--kernel", _folder.Write("text", "hello, this is no kernel"u8.ToArray()));

    [Fact]
    public void Kernel_IsEmpty() => Expect("it is empty", "--kernel", _folder.Write("empty", []));

    [Fact]
    public void Kernel_IsOf32Bits()
    {
        byte[] elf = FlatKernel.Build(0xF4);
        elf[4] = 1;
        Expect("a 32-bit ELF", "--kernel", _folder.Write("elf32", elf));
    }

    [Fact]
    public void Kernel_IsCutOff() => Expect("cut off", "--kernel", _folder.Write("short", FlatKernel.Build(0xF4)[..40]));

    [Fact]
    public void Kernel_DoesNotFit()
    {
        byte[] elf = FlatKernel.Build(0xF4);
        elf[64 + 40 + 3] = 0x10; // p_memsz: 256 MiB more
        Expect("does not fit", "--memory", "64M", "--kernel", _folder.Write("large", elf));
    }

    [Fact]
    public void Initrd_IsNotThere() => Expect("there is no such file", "--kernel", "demo", "--initrd", "/no/such/initrd");

    [Fact]
    public void CommandLine_IsTooLong() => Expect("command line", "--kernel", "demo", "--append", new string('x', 3000));

    [Fact]
    public void Memory_IsMoreThanTheHostCanMap() => Expect("Choose a smaller --memory", "--kernel", "demo", "--memory", "200T");

    [Fact]
    public void Cpus_AreMoreThanKvmHas()
    {
        int most = new Kvm.Probe.KvmProbe().Run().MaxCpuCount;
        Assert.SkipWhen(most >= 4096, "This KVM has as many vCPUs as --cpus takes.");
        Expect($"choose at most {most}", "--kernel", "demo", "--cpus", "4096");
    }

    [Fact]
    public void HugePages_AreNotReserved()
    {
        Assert.SkipUnless(File.ReadAllText("/proc/sys/vm/nr_hugepages").Trim() == "0", "This host has huge pages reserved.");
        Expect("vm.nr_hugepages", "--kernel", "demo", "--hugepages");
    }

    [Fact]
    public void Tap_DescriptorIsNotOpen() => Expect("net0: descriptor 99 is not open", "--kernel", "demo", "--net", "tap,fd=99");

    [Fact]
    public void Tap_IsNoTap()
    {
        Host.RequireNetwork();
        using NetworkTestbed network = new();
        using VmmProcess process = VmmProcess.StartIn(network.Namespace, "run", "--kernel", "demo", "--net", "tap,ifname=lo");
        Expect("ifname=lo is no TAP", process);
    }

    [Theory]
    [InlineData(1, "interface busy0 failed: Device or resource busy")]
    [InlineData(2, "ifname=busy0 is in use")]
    public void Tap_IsInUse(int queues, string message)
    {
        Host.RequireNetwork();
        using NetworkTestbed network = new();
        using Backends.Tap.TapBackend tap = network.OpenTap("busy0", queues);
        using VmmProcess process = VmmProcess.StartIn(network.Namespace, "run", "--kernel", "demo", "--net", "tap,ifname=busy0");
        Expect(message, process);
    }

    [Fact]
    public void Tap_IsDown_IsWarnedOf()
    {
        Host.RequireNetwork();
        Host.RequireTool("ip");
        using NetworkTestbed network = new();
        using VmmProcess process = network.Namespace.Run(() => VmmProcess.StartProgram(
            "sh", "-c", $"ip tuntap add dev down0 mode tap vnet_hdr && exec {Host.Binary} run --kernel demo --net tap,ifname=down0 --append exit=5 2>&1 >/dev/null"));

        process.WaitForExit().Should().Be(5, process.Output);
        process.Output.Should().Be("vmm: warning: vm: net0: the interface down0 is down, so no frame passes: sudo ip link set down0 up\n");
    }

    [Fact]
    public void Tap_OfNoName_WithoutPrivilege_AdvisesAConcreteName()
    {
        using NobodysVmm nobody = NobodysVmm.Require();
        using VmmProcess process = nobody.StartWithDevices("run", "--kernel", "demo", "--net", "tap");
        Expect("ioctl(TUNSETIFF) on a new interface failed: Operation not permitted (errno 1). Making an interface needs CAP_NET_ADMIN. Make one once for yourself and name it with ifname=vmtap0: `sudo ip tuntap add dev vmtap0 ", process);
    }

    [Fact]
    public void Console_FileCannotBeMade() => Expect("/no/such/folder/log", "--kernel", "demo", "--console", "file:/no/such/folder/log");

    [Fact]
    public void Console_SocketPathIsTaken()
        => Expect("taken", "--kernel", "demo", "--console", $"unix:{_folder.Write("taken", [1])}");

    [Fact]
    public void Debug_ShowsTheStackTraceToo()
    {
        (_, _, string error) = VmmProcess.Run("run", "--kernel", "/no/such/kernel", "--log-level", "debug");

        error.Should().StartWith("vmm: /no/such/kernel").And.Contain("   at ");
    }

    public void Dispose() => _folder.Dispose();

    private static void Expect(string message, params string[] options)
    {
        using VmmProcess process = VmmProcess.Start(["run", .. options]);
        Expect(message, process);
    }

    private static void Expect(string message, VmmProcess process)
    {
        process.WaitForExit().Should().Be(ExitCode.HostError, process.Error);
        process.Output.Should().BeEmpty();
        process.Error.Should().StartWith("vmm: ").And.Contain(message).And.NotContain("   at ");
        process.Error.TrimEnd('\n').Should().NotContain("\n").And.EndWith(".");
    }
}
