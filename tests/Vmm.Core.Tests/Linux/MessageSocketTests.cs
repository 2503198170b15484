using System.Globalization;
using System.Runtime.InteropServices;
using Tmds.Linux;
using Vmm.Core.Linux;
using Vmm.Core.Tests.Consoles;

namespace Vmm.Core.Tests.Linux;

public sealed class MessageSocketTests
{
    [Fact]
    public void WaitForHangUp_SignalToTheThread_WaitsOn()
    {
        (MessageSocket near, MessageSocket far) = MessageSocket.CreatePair();
        int caught = 0;
        using PosixSignalRegistration signal = PosixSignalRegistration.Create((PosixSignal)LibC.SIGWINCH, context =>
        {
            context.Cancel = true;
            Interlocked.Increment(ref caught);
        });
        int id = 0;
        bool? hangUp = null;
        Thread waiter = new(() =>
        {
            Volatile.Write(ref id, Libc.gettid());
            hangUp = near.WaitForHangUp();
        });
        waiter.Start();
        Eventually.Holds(() => Volatile.Read(ref id) != 0 && State(id) == 'S', "it waits");

        Libc.tgkill(Environment.ProcessId, id, LibC.SIGWINCH).Should().Be(0);
        Eventually.Holds(() => Volatile.Read(ref caught) > 0, "the signal came");
        far.Dispose();

        waiter.Join(TimeSpan.FromSeconds(20)).Should().BeTrue();
        hangUp.Should().BeTrue("a signal is not the peer's end");
        near.Dispose();
    }

    private static char State(int thread)
    {
        string line = File.ReadAllText($"/proc/self/task/{thread.ToString(CultureInfo.InvariantCulture)}/stat");
        return line[line.LastIndexOf(')') + 2];
    }
}
