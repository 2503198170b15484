namespace Vmm.Testbed.Tests;

/// <summary>The outer machine and the way in and out of it.</summary>
public sealed class L1Tests(L1Fixture fixture)
{
    [Fact]
    public void Kernel_HasTrueKvm() => fixture.Run(machine =>
    {
        machine.Require("lsmod").Should().Contain("kvm_amd").And.Contain("vhost_net");
        machine.Run("test -c /dev/kvm -a -c /dev/net/tun -a -c /dev/vhost-net").ExitCode.Should().Be(0);
    });

    [Fact]
    public void Run_OutputErrorAndExitCode_ComeBack() => fixture.Run(machine =>
    {
        JobResult result = machine.Run("printf 'a\\r\\nb\\000\\001'; echo oops >&2; exit 200");

        result.Should().Be(new JobResult(200, "a\r\nb\0\u0001", "oops\n"));
    });

    [Fact]
    public void Jobs_RunSideBySide() => fixture.Run(machine =>
    {
        L1Job waits = machine.Start("until [ -e /run/gate ]; do sleep 0.1; done; cat /run/gate");

        machine.Require("echo open >/run/gate");

        waits.Wait(TimeSpan.FromSeconds(30)).Should().Be(new JobResult(0, "open\n", ""));
    });

    [Fact]
    public void Job_BeyondItsTime_IsKilledWithItsChildren() => fixture.Run(machine =>
    {
        FluentActions.Invoking(() => machine.Run("sleep 1234 & sleep 1234", TimeSpan.FromSeconds(2))).Should().Throw<TimeoutException>();

        machine.Run("sleep 1; grep -l -z -x -s 123[4] /proc/[0-9]*/cmdline").Output.Should().BeEmpty();
    });
}
