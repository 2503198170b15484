using Tmds.Linux;
using Vmm.Core.Consoles;
using Vmm.Core.Events;
using Vmm.Core.Linux;
using Vmm.Core.Machine;

namespace Vmm.Core.Tests.Consoles;

/// <summary>Files and pipes, as in <c>vmm run ... &lt; script &gt; log</c>.</summary>
public sealed unsafe class StreamConsoleTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("vmm-console");
    private readonly EventLoop _loop = new("stream test");

    [Fact]
    public void File_Output_IsThereAfterFlushAndReplacesWhatWas()
    {
        string path = Path.Combine(_folder.FullName, "log");
        File.WriteAllText(path, "what was there before");
        using IConsole console = ConsoleFactory.Open(ConsoleOptions.Parse("file:" + path), _loop, new MachineLifetime());
        for (int i = 0; i < 1000; i++)
        {
            console.Write("0123456789"u8);
        }

        console.Flush(TimeSpan.FromSeconds(20));
        File.ReadAllText(path).Should().Be(string.Concat(Enumerable.Repeat("0123456789", 1000)));
        console.DroppedBytes.Should().Be(0);
        console.ResumeInput();
    }

    [Fact]
    public void File_WriterFasterThanTheLoop_LosesNothing()
    {
        string path = Path.Combine(_folder.FullName, "log");
        using ManualResetEventSlim go = new();
        using EventFd hold = new();
        // The loop is busy elsewhere all the while.
        using EventRegistration registration = _loop.Add(hold, ReadyEvents.In | ReadyEvents.EdgeTriggered, new Holder(go));
        hold.Signal();
        using IConsole console = ConsoleFactory.Open(ConsoleOptions.Parse("file:" + path), _loop, new MachineLifetime());
        byte[] written = [.. Enumerable.Range(0, 300_000).Select(i => (byte)(i * 5))];
        for (int i = 0; i < written.Length; i++)
        {
            console.Write(written.AsSpan(i, 1));
        }

        console.Flush(TimeSpan.FromSeconds(20));
        go.Set();
        console.DroppedBytes.Should().Be(0);
        File.ReadAllBytes(path).AsSpan().SequenceEqual(written).Should().BeTrue();
    }

    [Fact]
    public void File_NewFile_IsReadableByItsOwner()
    {
        string path = Path.Combine(_folder.FullName, "new");
        ConsoleFactory.Open(ConsoleOptions.Parse("file:" + path), _loop, new MachineLifetime()).Dispose();
        using FileDescriptor file = FileDescriptor.Open(path, LibC.O_RDONLY);
        stat status;
        LibC.fstat(file.Number, &status).Should().Be(0);
        ((uint)status.st_mode & 0x180).Should().Be(0x180, "rw-------, whatever the umask takes from the others");
    }

    [Fact]
    public void File_PathThatCannotBe_SaysWhy()
    {
        Action open = () => ConsoleFactory.Open(ConsoleOptions.Parse("file:/nonexistent/log"), _loop, new MachineLifetime()).Dispose();
        open.Should().Throw<LinuxException>().WithMessage("open on /nonexistent/log failed: No such file or directory (errno 2). Give a path*");
    }

    [Fact]
    public void File_FullDisk_DropsAndGoesOn()
    {
        using IConsole console = ConsoleFactory.Open(ConsoleOptions.Parse("file:/dev/full"), _loop, new MachineLifetime());
        console.Write("lost"u8);
        console.Flush(TimeSpan.FromSeconds(20));
        console.DroppedBytes.Should().Be(4);
    }

    [Theory]
    [InlineData("/dev/null", 0)]
    [InlineData("script", 10_000)]
    public void Stdio_RegularInput_IsReadToItsEnd(string name, int length)
    {
        byte[] script = [.. Enumerable.Range(0, length).Select(i => (byte)(i * 3))];
        string path = Path.Combine(_folder.FullName, name);
        if (length > 0)
        {
            File.WriteAllBytes(path, script);
        }

        using FileDescriptor input = FileDescriptor.Open(path, LibC.O_RDONLY);
        using FileDescriptor output = FileDescriptor.Open("/dev/null", LibC.O_WRONLY);
        using StdioConsole console = new(_loop, new MachineLifetime(), input.Number, output.Number);
        SlowReceiver guest = new(console, 16);
        console.Start(guest);
        while (guest.Taken.Length < length)
        {
            int before = guest.Taken.Length;
            guest.MakeRoom(1000);
            Eventually.Holds(() => guest.Taken.Length > before, "the script goes on");
        }

        guest.Taken.Should().Equal(script, "a file may hold any byte, Ctrl-A among them");
    }

    [Fact]
    public void Stdio_PipeWithoutAReader_LosesOutputAndDoesNotBlock()
    {
        (FileDescriptor read, FileDescriptor write) = Pipe();
        using (write)
        {
            using FileDescriptor input = FileDescriptor.Open("/dev/null", LibC.O_RDONLY);
            using StdioConsole console = new(_loop, new MachineLifetime(), input.Number, write.Number);
            byte[] line = new byte[1000];
            for (int i = 0; i < 300; i++)
            {
                console.Write(line);
            }

            console.Flush(TimeSpan.FromMilliseconds(20));
            console.DroppedBytes.Should().BePositive("the pipe and the ring are full");
            read.Dispose();
            console.Flush(TimeSpan.FromSeconds(20));
            console.Write("more"u8);
            console.Flush(TimeSpan.FromSeconds(20));
            (LibC.fcntl(write.Number, LibC.F_GETFL) & LibC.O_NONBLOCK).Should().Be(0, "the descriptor that is shared with others keeps its mode");
        }
    }

    [Fact]
    public void Stdio_PipeThatEnds_DeliversAllAndThenStops()
    {
        (FileDescriptor read, FileDescriptor write) = Pipe();
        using (read)
        {
            using FileDescriptor output = FileDescriptor.Open("/dev/null", LibC.O_WRONLY);
            using StdioConsole console = new(_loop, new MachineLifetime(), read.Number, output.Number);
            SlowReceiver guest = new(console, 4);
            console.Start(guest);
            byte[] typed = [0x01, (byte)'x', .. Enumerable.Range(0, 100).Select(i => (byte)i)];
            fixed (byte* source = typed)
            {
                ((long)LibC.write(write.Number, source, typed.Length)).Should().Be(typed.Length);
            }

            write.Dispose();
            Eventually.Holds(() => guest.Taken.Length == 4, "what fits");
            guest.MakeRoom(1000);
            Eventually.Holds(() => guest.Taken.Length == typed.Length, "the rest");
            guest.Taken.Should().Equal(typed);
        }
    }

    public void Dispose()
    {
        _loop.Dispose();
        _folder.Delete(recursive: true);
    }

    private sealed class Holder(ManualResetEventSlim go) : IEventHandler
    {
        public void OnReady(ReadyEvents events) => go.Wait();
    }

    private static (FileDescriptor Read, FileDescriptor Write) Pipe()
    {
        int* ends = stackalloc int[2];
        LinuxException.ThrowIfFailed(LibC.pipe2(ends, LibC.O_CLOEXEC), "pipe2", "a pipe");
        return (new FileDescriptor(ends[0]), new FileDescriptor(ends[1]));
    }
}
