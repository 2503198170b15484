namespace Vmm.Testbed.Tests;

/// <summary>A stock guest's vmm is replaced while traffic goes through it.</summary>
public sealed class LiveUpdateTests(L1Fixture fixture)
{
    private static readonly TimeSpan _lateLimit = TimeSpan.FromMinutes(3);

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, true)]
    public void Guest_UpdatedAgainAndAgainUnderTraffic_LosesNothing(int cpus, bool vhost) => fixture.Run(machine =>
    {
        using Tap tap = new(machine);
        using L2 guest = new(machine, Hypervisor.Vmm, new L2Options { Cpus = cpus, Tap = tap, Vhost = vhost });
        guest.Require("iperf3 -s -D");
        KernelLog.Clear(guest);
        using EchoStream echoes = new(machine, guest);
        using TcpStream stream = new(machine);
        stream.WaitForMore();

        for (int update = 0; update < Effort.Updates; update++)
        {
            fixture.Results.Add($"{(vhost ? "vhost: " : "")}{cpus} vCPU: live update, the guest stands still, us", Hypervisor.Vmm, LiveUpdate.Do(machine, guest).Downtime);
        }

        stream.WaitForMore();
        stream.Stop();
        echoes.RequireAll();
        KernelLog.RequireClean(guest);
        // The waiter that was started first has the machine's exit code.
        guest.End("poweroff -f").ExitCode.Should().Be(0);
    });

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, true)]
    public void Guest_WhoseUpdateFailsInThePause_GoesOnWhereItWas(int cpus, bool vhost) => fixture.Run(machine =>
    {
        using Tap tap = new(machine);
        using L2 guest = new(machine, Hypervisor.Vmm, new L2Options { Cpus = cpus, Tap = tap, Vhost = vhost });
        guest.Require("iperf3 -s -D");
        KernelLog.Clear(guest);
        string process = $"\"$VMM_BINARY\" qmp {guest.Name} x-query-process";
        string source = machine.Require(process);
        using EchoStream echoes = new(machine, guest);
        using TcpStream stream = new(machine, "-b 2M"); // The new process has what is left of the CPU.
        stream.WaitForMore();

        // It takes some milliseconds here to take the guest over, and no CPU from the one that watches the time.
        machine.Require("printf '#!/bin/sh\nexec chrt --idle 0 setpriv --bounding-set -sys_nice \"$VMM_BINARY\" \"$@\"' >/run/late; chmod +x /run/late");
        machine.Require($"\"$VMM_BINARY\" qmp {guest.Name} migrate-set-parameters downtime-limit=1 verdict-timeout=60000 prepare-timeout=60000");
        for (int failures = 0; failures < 3; failures++)
        {
            JobResult update = machine.Run($"\"$VMM_BINARY\" live-update {guest.Name} --binary /run/late", _lateLimit);
            update.ExitCode.Should().Be(1);
            update.Error.Should().Contain("has not answered within 1 ms");
            machine.Require(process).Should().Be(source);
            stream.WaitForMore();
        }

        machine.Require($"\"$VMM_BINARY\" qmp {guest.Name} migrate-set-parameters downtime-limit=500");
        LiveUpdate.Do(machine, guest);
        stream.WaitForMore();
        stream.Stop();
        echoes.RequireAll();
        KernelLog.RequireClean(guest);
        guest.End("poweroff -f").ExitCode.Should().Be(0);
    });
}
