using Iced.Intel;
using Vmm.Core.Machine;
using Vmm.Kvm.Tests.Guests;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Kvm.Tests;

public class PauseTests
{
    private const ulong Counter = 0x20_0000;

    [Fact]
    public void PauseAndResume_AThousandTimesUnderPortIo_LosesNoAccess()
    {
        using var machine = new GuestMachine();
        uint received = 0;
        uint wrong = 0;
        machine.Ports.Add(0x600, 4, new TestDevice
        {
            OnWrite = (_, data) => wrong += BitConverter.ToUInt32(data) == received++ ? 0u : 1u,
        });
        machine.Start32(CountToPort);

        for (int i = 0; i < 1000; i++)
        {
            machine.Vm.Pause();
            machine.Vm.IsPaused.Should().BeTrue();
            uint before = received;
            Thread.SpinWait(50);
            received.Should().Be(before, "nobody runs while paused");
            machine.Vm.Resume();
            SpinWait.SpinUntil(() => Volatile.Read(ref received) != before, TimeSpan.FromSeconds(30)).Should().BeTrue("it runs again");
        }

        machine.WaitForCounter(Counter, machine.Get<uint>(Counter) + 10);
        machine.Vm.Pause();
        wrong.Should().Be(0, "each value reaches the port once and in order");
        received.Should().BeGreaterThanOrEqualTo(1000);
    }

    [Fact]
    public void Pause_OfAHaltedGuest_Returns()
    {
        // With the in-kernel irqchip a halted vCPU sleeps inside KVM_RUN.
        using var machine = new GuestMachine();
        using var halting = new ManualResetEventSlim();
        machine.Ports.Add(0x600, 1, new TestDevice { OnWrite = (_, _) => halting.Set() });
        machine.Start32(c =>
        {
            c.@out(0x60, al);
            c.mov(dx, 0x600);
            c.@out(dx, al);
            c.cli();
            c.hlt();
        });
        halting.Wait(TimeSpan.FromSeconds(30)).Should().BeTrue();
        for (int i = 0; i < 50; i++)
        {
            machine.Vm.Pause();
            machine.Vm.Resume();
        }

        machine.Vm.Pause();
        machine.Lifetime.HasEnded.Should().BeFalse();
    }

    [Fact]
    public void Pause_WithFourCpusOfWhichThreeWaitForSipi_StopsAll()
    {
        using var machine = new GuestMachine();
        machine.Start32(CountToPort, cpuCount: 4);
        machine.WaitForCounter(Counter, 10);
        for (int i = 0; i < 100; i++)
        {
            machine.Vm.Pause();
            uint before = machine.Get<uint>(Counter);
            Thread.SpinWait(1000);
            machine.Get<uint>(Counter).Should().Be(before);
            machine.Vm.Resume();
        }
    }

    [Fact]
    public async Task Pause_WhileCollectionsRun_StillStopsTheGuest()
    {
        using var machine = new GuestMachine();
        machine.Start32(CountToPort);
        using var stop = new CancellationTokenSource();
        Task collector = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                GC.Collect();
                Thread.Sleep(1); // Back to back they would leave nobody time for anything.
            }
        });
        int first = GC.CollectionCount(2);
        while (GC.CollectionCount(2) < first + 200)
        {
            machine.Vm.Pause();
            machine.Vm.Resume();
        }

        await stop.CancelAsync();
        await collector;
        machine.WaitForCounter(Counter, machine.Get<uint>(Counter) + 10);
    }

    [Fact]
    public void Pause_Twice_AndResumeTwice_AreHarmless()
    {
        using var machine = new GuestMachine();
        machine.Start32(CountToPort);
        machine.Vm.Pause();
        machine.Vm.Pause();
        machine.Vm.IsPaused.Should().BeTrue();
        machine.Vm.Resume();
        machine.Vm.Resume();
        machine.Vm.IsPaused.Should().BeFalse();
        machine.WaitForCounter(Counter, machine.Get<uint>(Counter) + 10);
    }

    [Fact]
    public void Pause_OnAVcpuThread_IsRefused()
    {
        using var machine = new GuestMachine();
        Exception? refused = null;
        machine.Ports.Add(0x600, 4, new TestDevice
        {
            OnWrite = (_, _) =>
            {
                refused = Record.Exception(() => machine.Vm.Pause());
                machine.Lifetime.End(new GuestEnd(GuestEndCause.Stopped));
            },
        });
        machine.Start32(CountToPort);

        machine.WaitForEnd();
        refused.Should().BeOfType<InvalidOperationException>().Which.Message.Should().Contain("vCPU thread");
    }

    [Fact]
    public void Resume_AfterTheEnd_DoesNotEnterTheGuest()
    {
        using var machine = new GuestMachine();
        machine.Start32(CountToPort);
        machine.WaitForCounter(Counter, 10);
        machine.Vm.Pause();
        machine.Lifetime.End(new GuestEnd(GuestEndCause.Stopped));
        uint before = machine.Get<uint>(Counter);
        machine.Vm.Resume();
        machine.Vm.Dispose();
        machine.Get<uint>(Counter).Should().Be(before);
    }

    [Fact]
    public void Device_ThatThrows_EndsTheMachineNotTheProcess()
    {
        using var machine = new GuestMachine();
        machine.Ports.Add(0x600, 4, new TestDevice { OnWrite = (_, _) => throw new FormatException("a device with a mistake") });
        machine.Start32(CountToPort);

        GuestEnd end = machine.WaitForEnd();

        end.Cause.Should().Be(GuestEndCause.HostError);
        end.Report.Should().Contain("a device with a mistake");
    }

    [Fact]
    public void IoExits_InTheSteadyState_AllocateNothing()
    {
        using var machine = new GuestMachine();
        long start = 0;
        long used = -1;
        int calls = 0;
        bool hasPaused = false;
        machine.Ports.Add(0x600, 4, new TestDevice
        {
            OnWrite = (_, _) =>
            {
                // On the vCPU's thread: what it has allocated between two exits far apart.
                calls = Volatile.Read(ref hasPaused) ? calls + 1 : 0;
                if (calls == 1000)
                {
                    start = GC.GetAllocatedBytesForCurrentThread();
                }
                else if (calls == 3000)
                {
                    used = GC.GetAllocatedBytesForCurrentThread() - start;
                    machine.Lifetime.End(new GuestEnd(GuestEndCause.Stopped));
                }
            },
        });
        machine.Mmio.Add(GuestMachine.MmioAddress, 4, new TestDevice { OnRead = (_, data) => data.Clear(), OnWrite = (_, _) => { } });
        machine.Start32(c =>
        {
            Label again = c.CreateLabel();
            c.Label(ref again);
            c.mov(dx, 0x600);
            c.@out(dx, eax);
            c.mov(edx, unchecked((int)GuestMachine.MmioAddress));
            c.mov(eax, __dword_ptr[edx]);
            c.mov(__dword_ptr[edx], eax);
            c.mov(dx, 0x700);
            c.@in(eax, dx);
            c.jmp(again);
        });

        // The first EINTR loads what handles it; it may come at any time, also without a kick.
        machine.Vm.Pause();
        machine.Vm.Resume();
        Volatile.Write(ref hasPaused, true);

        machine.WaitForEnd();

        used.Should().Be(0);
    }

    private static void CountToPort(Assembler c)
    {
        Label again = c.CreateLabel();
        c.mov(dx, 0x600);
        c.xor(eax, eax);
        c.Label(ref again);
        c.@out(dx, eax);
        c.inc(eax);
        c.mov(__dword_ptr[Counter], eax);
        c.jmp(again);
    }
}
