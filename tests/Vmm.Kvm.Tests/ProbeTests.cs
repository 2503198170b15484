using Vmm.Kvm.Probe;
using Vmm.Kvm.Tests.Guests;

namespace Vmm.Kvm.Tests;

public class ProbeTests
{
    [Fact]
    public void Probe_OfThisHost_NamesKindVersionAndCapabilities()
    {
        GuestMachine.RequireKvm();

        KvmProbeReport report = new KvmProbe().Run();

        report.IsUsable.Should().BeTrue(report.Error);
        report.Error.Should().BeNull();
        report.ApiVersion.Should().Be(12);
        report.Kind.Should().NotBeNull();
        (report.Limitation is not null).Should().Be(report.Kind == KvmKind.SoftwareNested);
        report.MaxCpuCount.Should().BeGreaterThan(1);
        report.Capabilities.Should().Contain(c => c.Name == "KVM_CAP_IRQFD" && c.IsRequired && c.IsPresent);
        report.Capabilities.Should().Contain(c => c.Name == "KVM_CAP_MAX_VCPUS" && !c.IsRequired && c.Value == report.MaxCpuCount);
        report.Capabilities.Should().OnlyHaveUniqueItems(c => c.Name);
    }

    [Fact]
    public void Probe_OfAMissingDevice_SaysWhatToDo()
    {
        KvmProbeReport report = new KvmProbe("/dev/no-kvm-here").Run();

        report.IsUsable.Should().BeFalse();
        report.Error.Should().StartWith("open on /dev/no-kvm-here failed").And.EndWith("(errno 2).");
        report.Advice.Should().Contain("modprobe kvm_amd");
        report.Kind.Should().BeNull();
    }

    [Theory]
    [InlineData(13, "sudo usermod -aG kvm $USER")]
    [InlineData(2, "modprobe")]
    [InlineData(6, "modprobe")]
    [InlineData(19, "modprobe")]
    [InlineData(24, "ulimit -n")]
    public void Advice_ForEachErrno_IsACommand(int errno, string command) => KvmAdvice.ForOpen(errno).Should().Contain(command);

    [Theory]
    [InlineData(false, false, true, false, KvmKind.SoftwareNested)] // This kind: kvm_pvm on a CPU that shows neither.
    [InlineData(false, false, false, false, KvmKind.SoftwareNested)] // Whatever its name is: without either it can't be hardware.
    [InlineData(false, true, true, false, KvmKind.SoftwareNested)] // A software KVM on a capable CPU.
    [InlineData(false, true, false, true, KvmKind.Svm)]
    [InlineData(true, false, false, true, KvmKind.Vmx)]
    [InlineData(true, false, false, false, KvmKind.Vmx)] // A kernel without module folders: all is built in.
    [InlineData(false, true, true, true, KvmKind.Svm)]
    public void Kind_ByCpuAndModules_IsDecided(bool vmx, bool svm, bool pvm, bool vendor, KvmKind expected)
        => KvmKindDetector.Decide(vmx, svm, pvm, vendor).Should().Be(expected);

    [Fact]
    public void Kind_OfThisHost_MatchesProcCpuInfo()
    {
        string[] flags = File.ReadLines("/proc/cpuinfo").First(l => l.StartsWith("flags", StringComparison.Ordinal)).Split(' ');

        KvmKind kind = KvmKindDetector.Detect();

        if (!flags.Contains("svm") && !flags.Contains("vmx"))
        {
            kind.Should().Be(KvmKind.SoftwareNested);
        }
    }
}
