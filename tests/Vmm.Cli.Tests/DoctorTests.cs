namespace Vmm.Cli.Tests;

public sealed class DoctorTests
{
    [Fact]
    public void Doctor_WhereAVmCanRun_SaysSo()
    {
        Host.RequireKvm();

        (int code, string output, string error) = VmmProcess.Run("doctor");

        code.Should().Be(0);
        error.Should().BeEmpty();
        output.Should().Contain("/dev/kvm: KVM").And.Contain("/dev/net/tun").And.Contain("/dev/vhost-net: ").And.Contain("privileges").And.Contain("user namespaces").And.Contain("memory")
            .And.Contain("open files").And.Contain("locked memory").And.Contain("huge pages").And.EndWith("A VM can run here. Try: vmm demo\n");
    }

    [Fact]
    public void Doctor_WithoutTun_DoesNotOfferTheDemo()
    {
        Host.RequireKvm();
        Host.RequireTool("unshare");
        Assert.SkipUnless(Environment.UserName == "root", "Only root can hide a device.");
        using VmmProcess process = VmmProcess.StartProgram("unshare", "--mount", "sh", "-c", $"mount -t tmpfs none /dev/net && exec {Host.Binary} doctor");

        process.WaitForExit().Should().Be(0, process.Output + process.Error);
        process.Output.Should().Contain("limited  /dev/net/tun: is not there").And.NotContain("Try: vmm demo")
            .And.EndWith("A VM can run here, but not vmm demo, see /dev/net/tun. Try: vmm run --kernel demo --append exit=0; echo $?\n");
    }

    [Fact]
    public void Doctor_MayNotOpenKvm_SaysWhatToDo()
    {
        using NobodysVmm nobody = NobodysVmm.Require();
        using VmmProcess process = nobody.Start("doctor");

        process.WaitForExit().Should().Be(ExitCode.CheckFailed);
        process.Output.Should().Contain("MISSING  /dev/kvm: can't be opened: Permission denied").And.Contain("-> ").And.Contain("usermod -aG kvm").And.EndWith("see the lines marked MISSING.\n");
    }
}
