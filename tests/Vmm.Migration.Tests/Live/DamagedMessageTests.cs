using System.Buffers.Binary;
using System.Text.Json;
using Vmm.Backends.Tap;
using Vmm.Core.Linux;
using Vmm.Core.Memory;
using Vmm.Core.State;
using Vmm.Migration.Live;
using Vmm.Migration.Stream;
using Vmm.Migration.Tests.Conformance;
using Vmm.Migration.Tests.Stream;

namespace Vmm.Migration.Tests.Live;

/// <summary>
/// What a source has sent, changed at every offset, once as it is and once with a header that fits: the destination refuses it by name,
/// leaves the guest to the source and keeps no open file; or it takes what is another value, and nothing worse.
/// </summary>
public sealed class DamagedMessageTests : IDisposable
{
    private const int HeaderSize = 16;

    private static readonly MigrationTimeouts s_timeouts = new() { Verdict = TimeSpan.FromMilliseconds(50), Prepare = TimeSpan.FromMilliseconds(50) };

    private static readonly byte[] s_manifest = JsonSerializer.SerializeToUtf8Bytes(new FakeMachine().Manifest with { Timeouts = s_timeouts }, MigrationJson.Default.Manifest);

    private readonly string _name = $"test-{Guid.NewGuid()}";
    private readonly FileDescriptor _memory;
    private readonly FileDescriptor[] _queues;
    private readonly Sent _resources;
    private readonly Sent _snapshot;
    private readonly Sent _pausing;
    private readonly Sent _state;

    public DamagedMessageTests()
    {
        _memory = Open();
        _queues = [Open(), Open()];
        _resources = Write(MessageType.Resources,
        [
            new ResourceSection<GuestMemoryState>("memory", new GuestMemoryState { Size = 4096, File = _memory }),
            new ResourceSection<TapResources>("net0/tap-resources", DescribedType.Filled<TapResources>() with { Queues = _queues }),
        ]);
        _snapshot = Write(MessageType.Snapshot, []);
        _pausing = Write(MessageType.Pausing, []);
        _state = Write(MessageType.State, [.. RecordedStream.Sections(), new TimesSection()]);
    }

    /// <summary>Only the three that were sent are open, not what was received.</summary>
    public void Dispose()
    {
        Directory.GetFiles("/proc/self/fd").Count(link => new FileInfo(link).LinkTarget?.Contains(_name, StringComparison.Ordinal) == true).Should().Be(3);
        _memory.Dispose();
        Array.ForEach(_queues, queue => queue.Dispose());
    }

    [Fact]
    public void Messages_AsTheyWereSent_AreTaken() => Receive(_resources, _snapshot, _pausing, _state).Should().BeNull();

    [Fact]
    public void Resources_WithAnyByteChanged_AreRefused() => ExpectRefused(_resources, damaged => Receive(damaged, _snapshot, _pausing, _state));

    [Fact]
    public void State_WithAnyByteChanged_IsRefused() => ExpectRefused(_state, damaged => Receive(_resources, _snapshot, _pausing, damaged));

    [Fact]
    public void Resources_WithAnyByteChangedAndAHeaderThatFits_AreRefusedByNameOrTaken() => ExpectHarmless(_resources, damaged => Receive(damaged, _snapshot, _pausing, _state));

    [Fact]
    public void State_WithAnyByteChangedAndAHeaderThatFits_IsRefusedByNameOrTaken() => ExpectHarmless(_state, damaged => Receive(_resources, _snapshot, _pausing, damaged));

    [Fact]
    public void Resources_CutAtAnyByteWithAHeaderThatFits_AreRefusedByName() => ExpectCutRefused(_resources, damaged => Receive(damaged, _snapshot, _pausing, _state));

    [Fact]
    public void State_CutAtAnyByteWithAHeaderThatFits_IsRefusedByName() => ExpectCutRefused(_state, damaged => Receive(_resources, _snapshot, _pausing, damaged));

    [Fact]
    public void Messages_InAnotherOrder_AreRefusedByType()
    {
        Receive(_state, _resources).Should().Contain("State came where Resources is expected");
        Receive(_resources, _resources).Should().Contain("Resources came where Snapshot is expected");
        Receive(_resources, _snapshot, _snapshot).Should().Contain("Snapshot came where Pausing is expected");
        Receive(_resources, _snapshot, _pausing, _resources).Should().Contain("Resources came where State is expected");
        Receive(Header(_state, MessageType.Resources), _state).Should().Contain("stands where section 0 is expected");
        Receive(_resources, _snapshot, _pausing, Header(_resources, MessageType.State)).Should().Contain("stands where section 0 is expected");
    }

    private static void ExpectRefused(Sent sent, Func<Sent, string?> receive)
    {
        for (int offset = 0; offset < sent.Bytes.Length; offset++)
        {
            receive(Flip(sent, offset)).Should().NotBeNull("byte {0} was changed", offset);
        }
    }

    private static void ExpectHarmless(Sent sent, Func<Sent, string?> receive)
    {
        int refused = 0;
        for (int offset = HeaderSize; offset < sent.Bytes.Length; offset++)
        {
            refused += receive(Header(Flip(sent, offset))) is null ? 0 : 1;
        }

        refused.Should().BePositive();
    }

    private static void ExpectCutRefused(Sent sent, Func<Sent, string?> receive)
    {
        for (int length = HeaderSize; length < sent.Bytes.Length; length++)
        {
            receive(Header(sent with { Bytes = sent.Bytes[..length] })).Should().NotBeNull("{0} bytes were left", length);
        }
    }

    /// <summary>Why it was refused; null when the guest was taken. Anything else than a refusal is thrown.</summary>
    private static string? Receive(params Sent[] messages)
    {
        (MessageSocket near, MessageSocket far) = MessageSocket.CreatePair();
        using MessageChannel channel = new(far);
        using Baton baton = Baton.Create();
        using Recipient recipient = new();
        using (near)
        {
            foreach (Sent message in (Sent[])[Header(new Sent([.. new byte[HeaderSize], .. s_manifest], [baton.File]), MessageType.Hello), .. messages])
            {
                near.Send(message.Bytes, default, message.Files).Should().Be(message.Bytes.Length);
            }

            baton.TryOffer();
            try
            {
                new IncomingMigration(channel, recipient, s_timeouts).Run();
                (recipient.Runs, baton.Owner).Should().Be((1, BatonOwner.Destination));
                return null;
            }
            catch (MigrationException e)
            {
                (recipient.Runs, baton.TryWithdraw()).Should().Be((0, true));
                e.Reason.Should().NotBeEmpty();
                return e.Message;
            }
        }
    }

    private FileDescriptor Open() => FileDescriptor.CreateMemory(_name, 0, _name);

    private static Sent Write(MessageType type, IReadOnlyList<IStateSection> sections)
    {
        StateBuffer buffer = new();
        SectionWriter.Write(buffer, RecordedStream.Machine, sections);
        return Header(new Sent([.. new byte[HeaderSize], .. buffer.Written], [.. buffer.Descriptors]), type);
    }

    private static Sent Flip(Sent sent, int offset)
    {
        byte[] bytes = [.. sent.Bytes];
        bytes[offset] ^= 0xFF;
        return sent with { Bytes = bytes };
    }

    /// <summary>With a header that fits the rest.</summary>
    private static Sent Header(Sent sent, MessageType? type = null)
    {
        byte[] bytes = [.. sent.Bytes];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, 0x564d_4d31);
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(4), type is { } wanted ? (ushort)wanted : BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(4)));
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(6), (ushort)sent.Files.Length);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(8), (uint)(bytes.Length - HeaderSize));
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(12), MessageChannel.Checksum(bytes.AsSpan(HeaderSize)));
        return sent with { Bytes = bytes };
    }

    private sealed record Sent(byte[] Bytes, FileDescriptor[] Files);
}
