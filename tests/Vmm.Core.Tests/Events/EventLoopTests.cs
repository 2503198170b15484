using System.Diagnostics;
using Tmds.Linux;
using Vmm.Core.Events;
using Vmm.Core.Linux;
using Vmm.Core.Tests.Consoles;

namespace Vmm.Core.Tests.Events;

public sealed class EventLoopTests : IDisposable
{
    private readonly EventLoop _loop = new("event test");

    [Fact]
    public void Add_ReadyDescriptor_HandlerRunsOnTheLoopsThread()
    {
        using EventFd doorbell = new();
        Counter counter = new(() => (doorbell.TryDrain(), _loop.IsCurrent).Should().Be((true, true)));
        doorbell.Signal();
        using EventRegistration registration = _loop.Add(doorbell, ReadyEvents.In, counter);
        Eventually.Holds(() => counter.Count == 1, "the first ring");
        doorbell.Signal();
        Eventually.Holds(() => counter.Count == 2, "the second ring");
        _loop.IsCurrent.Should().BeFalse();
    }

    [Fact]
    public void Add_NoEvents_WaitsUntilTheChange()
    {
        using EventFd doorbell = new();
        doorbell.Signal();
        Counter counter = new(() => doorbell.TryDrain());
        using EventRegistration registration = _loop.Add(doorbell, ReadyEvents.None, counter);
        Settle();
        counter.Count.Should().Be(0);
        registration.Change(ReadyEvents.In);
        Eventually.Holds(() => counter.Count == 1, "it watches");
        registration.Change(ReadyEvents.None);
        doorbell.Signal();
        Settle();
        counter.Count.Should().Be(1);
    }

    [Fact]
    public void EdgeTriggered_NotDrained_ReportsEachRingOnce()
    {
        using EventFd doorbell = new();
        Counter counter = new();
        using EventRegistration registration = _loop.Add(doorbell, ReadyEvents.In | ReadyEvents.EdgeTriggered, counter);
        for (int i = 1; i <= 5; i++)
        {
            doorbell.Signal();
            Eventually.Holds(() => counter.Count == i, "one event per ring");
        }

        Settle();
        counter.Count.Should().Be(5);
    }

    [Fact]
    public void EdgeTriggered_AlreadyRungWhenAdded_IsNeverLost()
    {
        for (int i = 0; i < 2000; i++)
        {
            using EventFd doorbell = new();
            doorbell.Signal();
            Counter counter = new();
            using EventRegistration registration = _loop.Add(doorbell, ReadyEvents.In | ReadyEvents.EdgeTriggered, counter);
            Eventually.Holds(() => counter.Count == 1, "the edge before the registration");
        }
    }

    [Fact]
    public void Dispose_OfARegistration_EndsItsEventsAndItsSlotIsUsedAgain()
    {
        using EventFd first = new(), second = new();
        Counter old = new(), young = new();
        EventRegistration registration = _loop.Add(first, ReadyEvents.In | ReadyEvents.EdgeTriggered, old);
        registration.Dispose();
        registration.Dispose();
        registration.Change(ReadyEvents.In);
        using EventRegistration next = _loop.Add(second, ReadyEvents.In | ReadyEvents.EdgeTriggered, young);
        first.Signal();
        second.Signal();
        Eventually.Holds(() => young.Count == 1, "the new one");
        Settle();
        old.Count.Should().Be(0);
        next.Slot.Should().Be(registration.Slot);
        next.Token.Should().NotBe(registration.Token);
    }

    [Fact]
    public void Dispose_OfARegistrationByAHandlerOfTheSameBatch_DropsItsEvent()
    {
        using EventFd gate = new(), first = new(), second = new();
        using ManualResetEventSlim ready = new(), go = new();
        using EventRegistration gateRegistration = _loop.Add(gate, ReadyEvents.In | ReadyEvents.EdgeTriggered, new Counter(() =>
        {
            ready.Set();
            go.Wait();
        }));
        // Both are ready in one batch; whichever comes first removes the other.
        EventRegistration[] both = new EventRegistration[2];
        Counter one = new(() => both[1].Dispose()), two = new(() => both[0].Dispose());
        gate.Signal();
        ready.Wait();
        both[0] = _loop.Add(first, ReadyEvents.In | ReadyEvents.EdgeTriggered, one);
        both[1] = _loop.Add(second, ReadyEvents.In | ReadyEvents.EdgeTriggered, two);
        first.Signal();
        second.Signal();
        go.Set();
        Eventually.Holds(() => one.Count + two.Count > 0, "the first of the batch");
        Settle();
        (one.Count + two.Count).Should().Be(1);
        both[0].Dispose();
        both[1].Dispose();
    }

    [Fact]
    public void Add_ManyDescriptors_AllAreServed()
    {
        List<(EventFd Doorbell, EventRegistration Registration, Counter Counter)> all = [];
        for (int i = 0; i < 200; i++)
        {
            EventFd doorbell = new();
            Counter counter = new();
            all.Add((doorbell, _loop.Add(doorbell, ReadyEvents.In | ReadyEvents.EdgeTriggered, counter), counter));
        }

        all.ForEach(e => e.Doorbell.Signal());
        Eventually.Holds(() => all.TrueForAll(e => e.Counter.Count == 1), "each one");
        all.ForEach(e => e.Registration.Dispose());
        all.ForEach(e => e.Doorbell.Dispose());
    }

    [Fact]
    public void HangUp_IsReportedWithoutBeingAskedFor()
    {
        (FileDescriptor read, FileDescriptor write) = Pipe();
        using (read)
        {
            Counter counter = new();
            using EventRegistration registration = _loop.Add(read, ReadyEvents.None, counter);
            write.Dispose();
            Eventually.Holds(() => counter.Last.HasFlag(ReadyEvents.HangUp), "hang-up");
        }
    }

    [Fact]
    public void Add_DescriptorThatCannotBeWatched_ThrowsAndLeavesTheLoopUsable()
    {
        using FileDescriptor file = FileDescriptor.Open(Path.GetTempFileName(), LibC.O_RDONLY);
        _loop.Invoking(l => l.Add(file, ReadyEvents.In, new Counter())).Should().Throw<LinuxException>().Which.Errno.Should().Be(LibC.EPERM);
        using EventFd doorbell = new();
        _loop.Add(doorbell, ReadyEvents.In, new Counter()).Slot.Should().Be(0, "the slot is free again");
    }

    [Fact]
    public void Dispose_OfTheLoop_JoinsItsThreadAndRegistrationsOutliveIt()
    {
        EventLoop loop = new("short");
        using EventFd doorbell = new();
        Counter counter = new(() => Thread.Sleep(1));
        EventRegistration registration = loop.Add(doorbell, ReadyEvents.In, counter);
        doorbell.Signal();
        Eventually.Holds(() => counter.Count > 0, "it runs");
        loop.Dispose();
        int count = counter.Count;
        Settle();
        counter.Count.Should().Be(count);
        loop.Dispose();
        registration.Change(ReadyEvents.None);
        registration.Dispose();
    }

    [Fact]
    public void Dispose_OfTheLoopByItsOwnHandler_DoesNotDeadlock()
    {
        EventLoop loop = new("short");
        using EventFd doorbell = new();
        Counter counter = new(loop.Dispose);
        doorbell.Signal();
        loop.Add(doorbell, ReadyEvents.In, counter);
        Eventually.Holds(() => counter.Count == 1, "it has disposed the loop");
        Settle();
        counter.Count.Should().Be(1);
    }

    public void Dispose() => _loop.Dispose();

    /// <summary>Long enough that an event which should not come would have come; a test never depends on it to pass.</summary>
    private void Settle()
    {
        if (_loop.IsCurrent)
        {
            throw new UnreachableException();
        }

        Thread.Sleep(20);
    }

    private static unsafe (FileDescriptor Read, FileDescriptor Write) Pipe()
    {
        int* ends = stackalloc int[2];
        LinuxException.ThrowIfFailed(LibC.pipe2(ends, LibC.O_CLOEXEC), "pipe2", "a pipe");
        return (new FileDescriptor(ends[0]), new FileDescriptor(ends[1]));
    }

    private sealed class Counter(Action? action = null) : IEventHandler
    {
        private int _count;
        private uint _last;

        public int Count => Volatile.Read(ref _count);

        public ReadyEvents Last => (ReadyEvents)Volatile.Read(ref _last);

        public void OnReady(ReadyEvents events)
        {
            action?.Invoke();
            Volatile.Write(ref _last, (uint)events);
            Interlocked.Increment(ref _count);
        }
    }
}
