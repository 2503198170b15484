using System.Runtime.InteropServices;
using System.Text;
using Tmds.Linux;
using Vmm.Core.Consoles;
using Vmm.Core.Events;
using Vmm.Core.Linux;
using Vmm.Core.Machine;

namespace Vmm.Core.Tests.Consoles;

/// <summary>On a real pseudo-terminal: we are the person at the master's end.</summary>
public sealed class TerminalTests : IDisposable
{
    private readonly EventLoop _loop = new("terminal test");
    private readonly PseudoTerminal _terminal = new();
    private readonly MachineLifetime _lifetime = new();

    public TerminalTests()
    {
        // A terminal as a shell leaves it.
        termios mode = GetMode(_terminal.Slave);
        mode.c_lflag |= LibC.ICANON | LibC.ECHO | LibC.ISIG | LibC.IEXTEN;
        mode.c_iflag |= LibC.ICRNL | LibC.IXON;
        mode.c_oflag |= LibC.OPOST | LibC.ONLCR;
        TerminalMode.TrySet(_terminal.Slave, mode).Should().BeTrue();
    }

    [Fact]
    public void Guard_MakesRawAndRestores()
    {
        string before = Mode();
        using (new TerminalGuard(_terminal.Slave, GetMode(_terminal.Slave)))
        {
            termios raw = GetMode(_terminal.Slave);
            (raw.c_lflag & (LibC.ICANON | LibC.ECHO | LibC.ISIG)).Should().Be(0);
            (raw.c_iflag & (LibC.ICRNL | LibC.IXON)).Should().Be(0);
            (raw.c_oflag & LibC.OPOST).Should().NotBe(0, "our own log lines share the terminal");
        }

        Mode().Should().Be(before);
    }

    [Fact]
    public void Stdio_SignalThatEnds_RestoresBeforeAndContinueMakesRawAgain()
    {
        string before = Mode();
        using PosixSignalRegistration survive = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context => context.Cancel = true);
        using StdioConsole console = Open(out _);
        string raw = Mode();
        raw.Should().NotBe(before);
        LibC.kill(Environment.ProcessId, LibC.SIGHUP).Should().Be(0);
        Eventually.Holds(() => Mode() == before, "the terminal is as it was");
        LibC.kill(Environment.ProcessId, LibC.SIGCONT).Should().Be(0);
        Eventually.Holds(() => Mode() == raw, "the terminal is raw again");
    }

    [Fact]
    public void Stdio_TypedKeys_ReachTheGuestRawAndTheTerminalComesBack()
    {
        string before = Mode();
        using (StdioConsole console = Open(out SlowReceiver guest))
        {
            Type("ls\r\u0003\u001a\u0011");
            Eventually.Holds(() => guest.Taken.Length == 6, "all keys, Ctrl-C, Ctrl-Z and XON among them");
            guest.Taken.Should().Equal("ls\r\u0003\u001a\u0011"u8.ToArray());
            console.Write("prompt# "u8);
            ReadUntil("prompt# ");
        }

        Mode().Should().Be(before);
    }

    [Fact]
    public async Task Stdio_CtrlA_HelpThenPrefixThenQuit()
    {
        using StdioConsole console = Open(out SlowReceiver guest);
        Type("\u0001h");
        ReadUntil("Ctrl-A x ");
        Type("\u0001\u0001");
        Eventually.Holds(() => guest.Taken.Length == 1, "a literal Ctrl-A");
        guest.Taken.Should().Equal(0x01);
        _lifetime.HasEnded.Should().BeFalse();
        Type("\u0001x");
        (await _lifetime.Completion.WaitAsync(TimeSpan.FromSeconds(20))).Cause.Should().Be(GuestEndCause.Stopped);
    }

    [Fact]
    public void Stdio_TerminalThatNobodyReads_WriteAndFlushReturn()
    {
        using StdioConsole console = Open(out _);
        byte[] line = new byte[1000];
        for (int i = 0; i < 500; i++)
        {
            console.Write(line);
        }

        console.Flush(TimeSpan.FromMilliseconds(50));
        console.DroppedBytes.Should().BePositive();
    }

    [Fact]
    public unsafe void Pty_OtherSide_ReadsAndWrites()
    {
        using IConsole console = ConsoleFactory.Open(ConsoleOptions.Parse("pty"), _loop, _lifetime);
        SlowReceiver guest = new(console, 1000);
        console.Start(guest);
        console.Description.Should().StartWith("pty /dev/pts/");
        console.Write("hello\n"u8);
        for (int round = 0; round < 2; round++)
        {
            using FileDescriptor person = FileDescriptor.Open(console.Description[4..], LibC.O_RDWR | LibC.O_NOCTTY);
            if (round == 0)
            {
                byte[] text = new byte[16];
                fixed (byte* target = text)
                {
                    ((long)LibC.read(person.Number, target, text.Length)).Should().Be(6, "no carriage return is added");
                }
            }

            byte[] typed = [0x01, (byte)'x', 0x03];
            fixed (byte* source = typed)
            {
                ((long)LibC.write(person.Number, source, 3)).Should().Be(3);
            }

            Eventually.Holds(() => guest.Taken.Length == 3 * (round + 1), "every byte, and there are no commands");
        }

        _lifetime.HasEnded.Should().BeFalse();
    }

    public void Dispose()
    {
        _loop.Dispose();
        _terminal.Dispose();
    }

    private StdioConsole Open(out SlowReceiver guest)
    {
        StdioConsole console = new(_loop, _lifetime, _terminal.Slave.Number, _terminal.Slave.Number);
        guest = new SlowReceiver(console, 1000);
        console.Start(guest);
        return console;
    }

    private string Mode()
    {
        termios mode = GetMode(_terminal.Slave);
        return $"{mode.c_iflag:x} {mode.c_oflag:x} {mode.c_cflag:x} {mode.c_lflag:x}";
    }

    private unsafe void Type(string keys)
    {
        byte[] bytes = Encoding.Latin1.GetBytes(keys);
        fixed (byte* source = bytes)
        {
            ((long)LibC.write(_terminal.Master.Number, source, bytes.Length)).Should().Be(bytes.Length);
        }
    }

    private unsafe void ReadUntil(string text)
    {
        StringBuilder seen = new();
        byte[] buffer = new byte[256];
        Eventually.Holds(
            () =>
            {
                fixed (byte* target = buffer)
                {
                    int count = (int)LibC.read(_terminal.Master.Number, target, buffer.Length);
                    seen.Append(Encoding.Latin1.GetString(buffer, 0, Math.Max(0, count)));
                }

                return seen.ToString().Contains(text, StringComparison.Ordinal);
            },
            text);
    }

    private static termios GetMode(FileDescriptor terminal)
    {
        TerminalMode.TryGet(terminal, out termios mode).Should().BeTrue();
        return mode;
    }
}
