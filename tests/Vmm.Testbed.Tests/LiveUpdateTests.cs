namespace Vmm.Testbed.Tests;

/// <summary>A stock guest's vmm is replaced while traffic goes through it.</summary>
public sealed class LiveUpdateTests(L1Fixture fixture)
{
    private const string SetClock = "4030ae7b"; // KVM_SET_CLOCK

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, true)]
    public void Guest_UpdatedAgainAndAgainUnderTraffic_LosesNothing(int cpus, bool vhost) => fixture.Run(machine =>
    {
        using Tap tap = new(machine);
        using L2 guest = new(machine, Hypervisor.Vmm, new L2Options { Cpus = cpus, Tap = tap, Vhost = vhost });
        guest.Require("iperf3 -s -D");
        LiveUpdate.AllowLongPauses(machine, guest);
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
        LiveUpdate.AllowLongPauses(machine, guest);
        KernelLog.Clear(guest);
        string process = $"\"$VMM_BINARY\" qmp {guest.Name} x-query-process";
        string source = machine.Require(process);
        using EchoStream echoes = new(machine, guest);
        using TcpStream stream = new(machine);
        stream.WaitForMore();

        // Setting the guest's clock is the last thing that the new process does in the pause before it takes the guest.
        machine.Require($"printf '#!/bin/sh\nexec refuse {SetClock} \"$VMM_BINARY\" \"$@\"' >/run/failing; chmod +x /run/failing");
        for (int failures = 0; failures < 3; failures++)
        {
            JobResult update = machine.Run($"\"$VMM_BINARY\" live-update {guest.Name} --binary /run/failing");
            update.ExitCode.Should().Be(1);
            update.Error.Should().Contain("KVM_SET_CLOCK");
            machine.Require(process).Should().Be(source);
            stream.WaitForMore();
        }

        LiveUpdate.Do(machine, guest);
        stream.WaitForMore();
        stream.Stop();
        echoes.RequireAll();
        KernelLog.RequireClean(guest);
        guest.End("poweroff -f").ExitCode.Should().Be(0);
    });
}
