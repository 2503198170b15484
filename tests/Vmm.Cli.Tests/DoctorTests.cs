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
        output.Should().Contain("/dev/kvm: KVM").And.Contain("/dev/net/tun").And.Contain("privileges").And.Contain("user namespaces").And.Contain("memory")
            .And.Contain("open files").And.Contain("locked memory").And.Contain("huge pages").And.EndWith("A VM can run here. Try: vmm demo\n");
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
