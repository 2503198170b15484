using System.Diagnostics;
using System.IO.Pipes;
using Tmds.Linux;
using Vmm.Core.Linux;
using Vmm.Core.State;
using Vmm.Migration.Channels;
using Vmm.Migration.Live;
using Vmm.Migration.Stream;
using Vmm.Migration.Tests.Live;
using Vmm.Migration.Tests.Stream;

namespace Vmm.Migration.Tests.Channels;

/// <summary>A machine goes through every kind of channel; and what can go wrong on the way.</summary>
public sealed class ChannelTests : IDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(20);
    private static readonly MigrationTimeouts s_timeouts = new() { Stall = s_limit, State = s_limit, Verdict = s_limit };

    private readonly string _folder = Directory.CreateTempSubdirectory("vmm-channel-").FullName;
    private readonly StreamMachine _source = StreamMachine.CreateSource(8 << 20);
    private readonly StreamMachine _destination = StreamMachine.CreateDestination();

    public ChannelTests()
    {
        for (ulong at = 0; at < 6 << 20; at += 8192)
        {
            MachineStreamTests.Fill(_source.Memory, at, (byte)(at >> 13 | 1));
        }
    }

    public void Dispose()
    {
        _source.Dispose();
        _destination.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData("unix")]
    [InlineData("tcp")]
    public async Task Stream_ThroughASocket_MovesTheMachine(string scheme)
    {
        using MigrationListener listener = MigrationListener.Open(Uri(scheme));
        Task<MigrationChannel> accepting = Task.Run(() => listener.Accept());
        using MigrationChannel near = MigrationChannel.Connect(listener.Uri, s_limit);
        using MigrationChannel far = await accepting.WaitAsync(s_limit);
        (near.IsBidirectional, near.MayCarryDescriptors, far.MayCarryDescriptors).Should().Be((true, scheme == "unix", scheme == "unix"));

        Task<long> outgoing = Task.Run(() => new OutgoingStream(near, _source, s_timeouts).Run());
        far.WaitForContent(s_limit).Should().Be(ChannelContent.Stream);
        new IncomingStream(far, _destination, s_timeouts).Run();

        (await outgoing.WaitAsync(s_limit)).Should().BeGreaterThan(3 << 20);
        ShouldHaveMoved();
    }

    [Theory]
    [InlineData("file:{0}/machine", "file:{0}/machine")]
    [InlineData("exec:gzip >{0}/machine.gz", "exec:gzip -dc {0}/machine.gz")]
    [InlineData("exec:cat >{0}/machine", "file:{0}/machine")]
    public void Stream_ThroughWhatGoesOneWay_MovesTheMachine(string there, string back)
    {
        using (MigrationChannel near = MigrationChannel.Connect(MigrationUri.Parse(there.Replace("{0}", _folder, StringComparison.Ordinal)), s_limit))
        {
            (near.IsBidirectional, near.MayCarryDescriptors, near.Peer).Should().Be((false, false, null));
            new OutgoingStream(near, _source, s_timeouts).Run();
        }

        using MigrationListener listener = MigrationListener.Open(MigrationUri.Parse(back.Replace("{0}", _folder, StringComparison.Ordinal)));
        using MigrationChannel far = listener.Accept();
        far.WaitForContent(s_limit).Should().Be(ChannelContent.Stream);
        new IncomingStream(far, _destination, s_timeouts).Run();

        ShouldHaveMoved();
    }

    [Fact]
    public async Task Stream_ThroughAPipeDescriptor_MovesTheMachine()
    {
        using AnonymousPipeServerStream pipe = new(PipeDirection.Out);
        using MigrationChannel near = MigrationChannel.Connect(Descriptor(pipe.SafePipeHandle), s_limit);
        using MigrationListener listener = MigrationListener.Open(Descriptor(pipe.ClientSafePipeHandle));
        pipe.DisposeLocalCopyOfClientHandle();
        pipe.Dispose();

        Task<long> outgoing = Task.Run(() =>
        {
            long size = new OutgoingStream(near, _source, s_timeouts).Run();
            near.Dispose();
            return size;
        });
        using MigrationChannel far = listener.Accept();
        new IncomingStream(far, _destination, s_timeouts).Run();

        await outgoing.WaitAsync(s_limit);
        ShouldHaveMoved();
    }

    [Fact]
    public async Task Stream_ThroughASocketDescriptor_MovesTheMachine()
    {
        (MessageSocket first, MessageSocket second) = MessageSocket.CreatePair();
        using MigrationChannel near = MigrationChannel.Connect(Descriptor(first), s_limit);
        using MigrationListener listener = MigrationListener.Open(Descriptor(second));
        first.Dispose();
        second.Dispose();
        using MigrationChannel far = listener.Accept();
        near.Peer!.Value.ProcessId.Should().Be(Environment.ProcessId);

        Task<long> outgoing = Task.Run(() => new OutgoingStream(near, _source, s_timeouts).Run());
        new IncomingStream(far, _destination, s_timeouts).Run();

        await outgoing.WaitAsync(s_limit);
        ShouldHaveMoved();
    }

    [Fact]
    public void File_IsItsOwnersOnly_AndTheOldOneStaysWhenTheNewOneFails()
    {
        string path = Path.Combine(_folder, "machine");
        MigrationUri uri = MigrationUri.Parse($"file:{path}");
        using (MigrationChannel near = MigrationChannel.Connect(uri, s_limit))
        {
            new OutgoingStream(near, _source, s_timeouts).Run();
        }

        byte[] old = File.ReadAllBytes(path);
        if (OperatingSystem.IsLinux())
        {
            File.GetUnixFileMode(path).Should().Be(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        using (MigrationChannel near = MigrationChannel.Connect(uri, s_limit))
        {
            Action run = () => new OutgoingStream(near, _source, s_timeouts, new CancellationToken(canceled: true)).Run();
            near.OpenStream(s_limit).Write([1, 2, 3]);
            near.Dispose();
            run.Should().Throw<IOException>();
        }

        File.ReadAllBytes(path).Should().Equal(old);
        Directory.GetFiles(_folder).Should().Equal(path);
        _source.Resumes.Should().Be(1);
    }

    [Fact]
    public void Command_ThatFails_LeavesTheGuestWhereItIs_AndSaysWhy()
    {
        using MigrationChannel near = MigrationChannel.Connect(MigrationUri.Parse("exec:cat >/dev/null; echo no space left >&2; exit 3"), s_limit);

        Action run = () => new OutgoingStream(near, _source, s_timeouts).Run();

        run.Should().Throw<ChannelException>().WithMessage("exec:cat >/dev/null; echo no space left >&2; exit 3 ended with exit code 3: no space left.");
        (_source.Pauses, _source.Resumes).Should().Be((1, 1));
    }

    [Fact]
    public void Command_ThatDoesNotTakeEverything_LeavesTheGuestWhereItIs()
    {
        using MigrationChannel near = MigrationChannel.Connect(MigrationUri.Parse("exec:head -c 100 >/dev/null"), s_limit);

        Action run = () => new OutgoingStream(near, _source, s_timeouts).Run();

        run.Should().Throw<MigrationException>().WithMessage("state: the peer has closed the channel");
        _source.Resumes.Should().Be(1);
    }

    [Fact]
    public void Command_ThatIsSilent_IsGivenUp()
    {
        using MigrationListener listener = MigrationListener.Open(MigrationUri.Parse("exec:sleep 60"));
        using MigrationChannel far = listener.Accept();

        Action run = () => new IncomingStream(far, _destination, s_timeouts with { Stall = TimeSpan.FromMilliseconds(200) }).Run();

        run.Should().Throw<MigrationException>().WithMessage("state: the peer has sent nothing for 200 ms");
        _destination.Runs.Should().Be(0);
    }

    [Fact]
    public void Command_WhoseOutputIsCutOff_SaysWhy()
    {
        using MigrationListener listener = MigrationListener.Open(MigrationUri.Parse("exec:echo it is gone >&2; exit 4"));
        using MigrationChannel far = listener.Accept();

        Action run = () => new IncomingStream(far, _destination, s_timeouts).Run();

        run.Should().Throw<MigrationException>().WithMessage("state: exec:echo it is gone >&2; exit 4 ended with exit code 4: it is gone.");
    }

    [Fact]
    public async Task Destination_ThatRefuses_TellsTheSourceEveryReason()
    {
        using StreamMachine refusing = StreamMachine.CreateDestination("net0: the MTU 9000 is more than 1500", "cpu: no AVX");
        (IOException source, IOException destination) = await FailBoth(refusing);

        source.Should().BeOfType<MigrationException>().Which.Reason.Should().EndWith("verdict: refused: net0: the MTU 9000 is more than 1500; cpu: no AVX");
        destination.Message.Should().Contain("no AVX");
        (_source.Pauses, _source.Resumes, refusing.Runs).Should().Be((1, 1, 0));
    }

    [Fact]
    public async Task Destination_ThatCanNotBuildTheMachine_TellsTheSource()
    {
        using StreamMachine failing = StreamMachine.CreateDestination(new IOException("tap0 is in use"));
        (IOException source, _) = await FailBoth(failing);

        source.Message.Should().Contain("the destination says: prepared: tap0 is in use");
        (_source.Resumes, failing.Runs).Should().Be((1, 0));
    }

    /// <summary>What the destination does when it has all of the stream, and whether the source may run the guest again.</summary>
    [Theory]
    [InlineData("closes", true)]
    [InlineData("is silent", true)]
    [InlineData("says failed", true)]
    [InlineData("prepares and closes", false)]
    [InlineData("prepares and is silent", false)]
    [InlineData("prepares and says failed", true)]
    public async Task Source_WhoseDestinationFailsAtTheEnd_RunsOnOnlyWhenNobodyElseCan(string failure, bool resumes)
    {
        (MessageSocket first, MessageSocket second) = MessageSocket.CreatePair();
        using MigrationChannel near = MigrationChannel.FromSocket(Uri("unix"), first);
        using MigrationChannel far = MigrationChannel.FromSocket(Uri("unix"), second);
        Task<long> outgoing = Task.Run(() => new OutgoingStream(near, _source, failure.EndsWith("silent", StringComparison.Ordinal) ? s_timeouts with { Stall = TimeSpan.FromMilliseconds(500) } : s_timeouts).Run());
        new MachineStreamReader(far.OpenStream(s_limit), _destination).Read(untilEnd: false);
        using MessageChannel messages = new(second);
        if (failure.StartsWith("prepares", StringComparison.Ordinal))
        {
            messages.Send(MigrationStep.Prepared, MessageType.Prepared, default, [], new Deadline(s_limit));
            messages.Receive(MigrationStep.Running, new Deadline(s_limit)).Type.Should().Be(MessageType.Commit);
        }

        if (failure.EndsWith("failed", StringComparison.Ordinal))
        {
            messages.Send(MigrationStep.Running, MessageType.Failed, "no luck"u8, [], new Deadline(s_limit));
        }
        else if (failure.EndsWith("closes", StringComparison.Ordinal))
        {
            messages.Dispose();
        }

        Func<Task> waiting = () => outgoing.WaitAsync(s_limit);
        if (resumes)
        {
            await waiting.Should().ThrowAsync<MigrationException>();
        }
        else
        {
            await waiting.Should().ThrowAsync<MachineLostException>();
        }

        _source.Resumes.Should().Be(resumes ? 1 : 0);
    }

    [Fact]
    public void Destination_WhoseSourceDiesBeforeTheCommit_DoesNotRunTheGuest()
    {
        (MessageSocket first, MessageSocket second) = MessageSocket.CreatePair();
        using MigrationChannel far = MigrationChannel.FromSocket(Uri("unix"), second);
        Task.Run(() =>
        {
            using MigrationChannel near = MigrationChannel.FromSocket(Uri("unix"), first);
            using System.IO.Stream stream = near.OpenStream(s_limit);
            MachineStreamWriter.Write(stream, _source);
        });

        Action run = () => new IncomingStream(far, _destination, s_timeouts).Run();

        run.Should().Throw<MigrationException>().WithMessage("*: the peer has closed the channel");
        _destination.Runs.Should().Be(0);
    }

    [Fact]
    public async Task Hello_ThroughAProxy_IsAnsweredThatNoDescriptorCame()
    {
        // Bytes are passed on and open files are not, as socat does it.
        (MessageSocket first, MessageSocket proxyNear) = MessageSocket.CreatePair();
        (MessageSocket proxyFar, MessageSocket second) = MessageSocket.CreatePair();
        using ByteDescriptor from = new(proxyNear.Number, ownsHandle: false);
        using ByteDescriptor to = new(proxyFar.Number, ownsHandle: false);
        Task[] pumps = [Pump(from, to), Pump(to, from)];
        bool? carries = null;
        using MessageChannel near = new(first);
        using MessageChannel far = new(second);
        ProbedMachine machine = new(c => carries = c);
        Task incoming = Task.Run(() => new IncomingMigration(far, machine, s_timeouts).Run());
        using OutgoingMigration outgoing = new(near, new FakeMachine(), s_timeouts);

        outgoing.Ask().Reasons.Should().Equal("no open files come through");

        carries.Should().BeFalse();
        await incoming.Invoking(i => i.WaitAsync(s_limit)).Should().ThrowAsync<MigrationException>();

        // ORDER: a pump that is left would read and write whatever another test has under these numbers by then.
        near.Dispose();
        far.Dispose();
        await Task.WhenAll(pumps).WaitAsync(s_limit);
        proxyNear.Dispose();
        proxyFar.Dispose();
    }

    [Fact]
    public async Task Content_OfAHello_IsMessages()
    {
        (MessageSocket first, MessageSocket second) = MessageSocket.CreatePair();
        using MigrationChannel far = MigrationChannel.FromSocket(Uri("unix"), second);
        using MessageChannel near = new(first);
        Task<ChannelContent> content = Task.Run(() => far.WaitForContent(s_limit));
        near.Send(MigrationStep.Hello, MessageType.Hello, "{}"u8, [], new Deadline(s_limit));

        (await content.WaitAsync(s_limit)).Should().Be(ChannelContent.Messages);
        new MessageChannel(second).Receive(MigrationStep.Hello, new Deadline(s_limit)).Type.Should().Be(MessageType.Hello, "it stays to be read");
    }

    [Fact]
    public void Content_OfNobody_IsAnError()
    {
        (MessageSocket first, MessageSocket second) = MessageSocket.CreatePair();
        using MigrationChannel far = MigrationChannel.FromSocket(Uri("unix"), second);

        far.Invoking(f => f.WaitForContent(TimeSpan.FromMilliseconds(100))).Should().Throw<MigrationException>().WithMessage("*has said nothing for 100 ms");
        first.Dispose();
        far.Invoking(f => f.WaitForContent(s_limit)).Should().Throw<MigrationException>().WithMessage("hello: the peer has closed the channel");
    }

    [Fact]
    public void Listener_OnAPath_IsItsOwnersOnly_AndLeavesNothingBehind()
    {
        string path = Path.Combine(_folder, "in");
        using (MigrationListener listener = MigrationListener.Open(MigrationUri.Parse($"unix:{path}")))
        {
            if (OperatingSystem.IsLinux())
            {
                File.GetUnixFileMode(path).Should().Be(UnixFileMode.UserRead | UnixFileMode.UserWrite);
            }
        }

        File.Exists(path).Should().BeFalse();
    }

    [Fact]
    public async Task Listener_SomebodyElsesPeer_IsRefusedByName_AndTheNextOneIsTaken()
    {
        Assert.SkipUnless(Environment.UserName == "root", "Only root can become somebody else.");
        Assert.SkipUnless(File.Exists("/usr/bin/setpriv") && File.Exists("/usr/bin/python3"), "setpriv and python3 are needed.");
        string path = Path.Combine(_folder, "in");
        using MigrationListener listener = MigrationListener.Open(MigrationUri.Parse($"unix:{path}"));
        if (OperatingSystem.IsLinux())
        {
            // The door is opened, to see that the guard behind it is awake.
            File.SetUnixFileMode(path, (UnixFileMode)0x1ff);
            File.SetUnixFileMode(_folder, (UnixFileMode)0x1ff);
        }

        string? refused = null;
        Task<MigrationChannel> accepting = Task.Run(() => listener.Accept(message => refused = message));
        using (Process stranger = Process.Start("/usr/bin/setpriv", ["--reuid=65534", "--regid=65534", "--clear-groups", "/usr/bin/python3", "-c",
            $"import socket; s = socket.socket(socket.AF_UNIX); s.connect('{path}'); s.recv(1)"]))
        {
            await stranger.WaitForExitAsync().WaitAsync(s_limit);
        }

        using MigrationChannel near = MigrationChannel.Connect(listener.Uri, s_limit);
        using MigrationChannel far = await accepting.WaitAsync(s_limit);

        refused.Should().MatchRegex(@"^unix:.*/in: .* \(process \d+, user 65534\) is at the other end, neither this user's nor root's: refused\.$");
        far.Peer!.Value.UserId.Should().Be(0);
    }

    [Fact]
    public void Listener_ThatIsCancelled_Returns()
    {
        using MigrationListener listener = MigrationListener.Open(Uri("unix"));
        using CancellationTokenSource cancellation = new(TimeSpan.FromMilliseconds(100));

        listener.Invoking(l => l.Accept(null, cancellation.Token)).Should().Throw<OperationCanceledException>();
    }

    [Theory]
    [InlineData("unix:{0}/nobody", "connect on {0}/nobody failed: No such file or directory (errno 2). Nobody listens there: start the destination first.")]
    [InlineData("tcp:127.0.0.1:1", "connect on 127.0.0.1:1 failed: Connection refused (errno 111). Nobody listens there: start the destination first.")]
    [InlineData("tcp::4444", "tcp::4444: to connect, host and port are needed; write for example tcp:localhost:4444.")]
    [InlineData("tcp:no-such-host.invalid:1", "tcp:no-such-host.invalid:1: the host no-such-host.invalid is unknown: *")]
    [InlineData("fd:999", "fstat on fd 999 failed: Bad file descriptor (errno 9). Pass an open descriptor, *")]
    [InlineData("file:{0}/no/such", "file:{0}/no/such can't be written: open on {0}/no/such.*.part failed: No such file or directory (errno 2).*")]
    public void Connect_ToWhatIsNotThere_SaysWhatToDo(string uri, string message)
    {
        Action connect = () => MigrationChannel.Connect(MigrationUri.Parse(uri.Replace("{0}", _folder, StringComparison.Ordinal)), s_limit);

        connect.Should().Throw<IOException>().WithMessage(message.Replace("{0}", _folder, StringComparison.Ordinal));
    }

    [Fact]
    public void Descriptors_ThatBytesDoNotGoThrough_AreRefused()
    {
        using FileDescriptor file = FileDescriptor.Open("/dev/null", LibC.O_RDONLY);
        using FileDescriptor folder = FileDescriptor.Open("/", LibC.O_RDONLY);
        using ListeningSocket listening = ListeningSocket.Listen(Path.Combine(_folder, "l"));

        Connecting(file).Should().Throw<ChannelException>().WithMessage("fd:* was not passed on by whoever started vmm; name one that was.");
        foreach (FileDescriptor inherited in (FileDescriptor[])[file, folder, listening])
        {
            _ = LibC.fcntl(inherited.Number, LibC.F_SETFD, 0);
        }

        Connecting(file).Should().Throw<ChannelException>().WithMessage("fd:* is open for reading only.");
        Connecting(folder).Should().Throw<ChannelException>().WithMessage("fd:* is nothing that bytes go through; a connected stream socket, a pipe or a file is needed.");
        Connecting(listening).Should().Throw<ChannelException>().WithMessage("fd:* is a socket that listens; *");
    }

    private static Action Connecting(FileDescriptor file) => () => MigrationChannel.Connect(MigrationUri.Parse($"fd:{file.Number}"), s_limit);

    private MigrationUri Uri(string scheme) => MigrationUri.Parse(scheme == "tcp" ? "tcp:127.0.0.1:0" : $"unix:{_folder}/s");

    /// <summary>A number of its own, as if it were inherited.</summary>
    private static MigrationUri Descriptor(System.Runtime.InteropServices.SafeHandle handle)
    {
        using FileDescriptor borrowed = new((int)handle.DangerousGetHandle(), ownsHandle: false);
        FileDescriptor own = borrowed.Duplicate();
        int number = own.Number;
        own.SetHandleAsInvalid();
        _ = LibC.fcntl(number, LibC.F_SETFD, 0); // what is inherited is not close-on-exec
        return MigrationUri.Parse($"fd:{number}");
    }

    private async Task<(IOException Source, IOException Destination)> FailBoth(StreamMachine destination)
    {
        (MessageSocket first, MessageSocket second) = MessageSocket.CreatePair();
        using MigrationChannel near = MigrationChannel.FromSocket(Uri("unix"), first);
        using MigrationChannel far = MigrationChannel.FromSocket(Uri("unix"), second);
        Task<IOException> outgoing = Task.Run(() => Catch(() => new OutgoingStream(near, _source, s_timeouts).Run(), near));
        IOException incoming = Catch(() => new IncomingStream(far, destination, s_timeouts).Run(), far);
        return (await outgoing.WaitAsync(s_limit), incoming);
    }

    private static IOException Catch(Action run, MigrationChannel channel)
    {
        using (channel)
        {
            return run.Should().Throw<IOException>().Which;
        }
    }

    private void ShouldHaveMoved()
    {
        MachineStreamTests.Bytes(_destination.Memory).SequenceEqual(MachineStreamTests.Bytes(_source.Memory)).Should().BeTrue();
        _destination.StateBytes.Should().Equal(_source.StateBytes);
        (_source.Pauses, _source.Resumes, _destination.Runs).Should().Be((1, 0, 1));
    }

    /// <summary>Until the end of what is read.</summary>
    private static Task Pump(ByteDescriptor from, ByteDescriptor to) => Task.Factory.StartNew(
        () =>
        {
            byte[] buffer = new byte[4096];
            while (from.Wait(LibC.POLLIN, -1) && from.Read(buffer) is > 0 and int read)
            {
                to.Write(buffer.AsSpan(0, read));
            }
        },
        TaskCreationOptions.LongRunning);

    /// <summary>Answers as a machine that can't do without descriptors.</summary>
    private sealed class ProbedMachine(Action<bool> probed) : IMigrationDestination
    {
        public IReadOnlyList<IStateSection> Resources => [];

        public IReadOnlyList<IStateSection> State => [];

        public Verdict Examine(Manifest manifest, bool carriesDescriptors)
        {
            probed(carriesDescriptors);
            return new Verdict("vmm test", carriesDescriptors ? [] : ["no open files come through"], []);
        }

        public void Prepare() => throw new InvalidOperationException();

        public void Run() => throw new InvalidOperationException();

        public void Settle()
        {
        }
    }
}
