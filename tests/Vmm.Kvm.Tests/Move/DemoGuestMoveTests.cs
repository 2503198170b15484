using Vmm.Core.Hypervisor;
using Vmm.Core.Machine;
using Vmm.Core.Machine.Boot;
using Vmm.DemoGuest;
using Vmm.Kvm.Tests.Guests;

namespace Vmm.Kvm.Tests.Move;

public class DemoGuestMoveTests
{
    [Theory]
    [InlineData(1, "poll check=1M")]
    [InlineData(4, "poll check=1M")]
    [InlineData(1, "check=1M")]
    public void DemoGuest_MovedTwentyTimes_FindsItsMemoryAndItsClockInOrder(int cpuCount, string commandLine)
    {
        var machine = new GuestMachine(64 << 20);
        AddSerial(machine);
        CpuEntry entry = BootLoader.Load(machine.Memory, new BootConfig(BootImage.FromBytes("demo", DemoGuestImage.Build()), null, commandLine, []));
        machine.Vm.Start(cpuCount, entry);
        machine.WaitForCounter(Variables.Iterations, 0);
        for (int i = 0; i < 20; i++)
        {
            GuestMachine next = MachineMove.Prepare(machine, cpuCount);
            AddSerial(next);
            MachineMove.Carry(machine, next);
            next.Vm.Resume();
            machine.Vm.Dispose();
            machine = next;
            if (commandLine.StartsWith("poll", StringComparison.Ordinal))
            {
                machine.WaitForCounter(Variables.Iterations, machine.Get<uint>(Variables.Iterations) + 100);
            }
        }

        machine.Lifetime.HasEnded.Should().BeFalse();
        machine.Get<ulong>(Variables.CheckErrors).Should().Be(0);
        machine.Get<ulong>(Variables.ClockErrors).Should().Be(0);
        machine.Get<ulong>(Variables.LongestGap).Should().BeLessThan(1UL << 40);
        machine.Dispose();
    }

    private static void AddSerial(GuestMachine machine) => machine.Ports.Add(
        MachineLayout.SerialPort, MachineLayout.SerialPortCount, new TestDevice { OnRead = (_, data) => data.Fill(0x60) });
}
