using Vmm.Backends.Tap;
using Vmm.Core.Linux;

namespace Vmm.Cli.Tests;

/// <summary>Open files that come in the wrong order, too few, too many, or are others: refused by name before the guest is handed over.</summary>
public sealed class WrongDescriptorTests : IDisposable
{
    private const long RamSize = 64 << 20;

    private readonly TemporaryFolder _folder = new();

    public WrongDescriptorTests() => Host.RequireNetwork();

    public void Dispose() => _folder.Dispose();

    /// <summary>RAM, the two queues of t0, the two queues of t1.</summary>
    [Fact]
    public void Resources_WithOtherDescriptors_AreRefusedByNameAndTheGuestRunsOn()
    {
        using UpdatedGuest guest = new(net: "queues=2", options: ["--net", "tap,ifname=t1,queues=2"]);
        using TapBackend other = guest.Guest.Network.OpenTap("t2", queues: 2);
        List<string> wrong = [];
        foreach ((string name, Action<List<FileDescriptor>> tamper, string reason) in ResourceCases(other))
        {
            string found = guest.UpdateWrongly("Resources", message =>
            {
                tamper(message.Files);
                message.Correct();
            });
            Compare(wrong, name, found, reason);
        }

        string.Join("; ", wrong).Should().BeEmpty();
        guest.ExpectRunBy(guest.Source, "failed");
        guest.Update();
        guest.Quit();
    }

    private IEnumerable<(string Name, Action<List<FileDescriptor>> Tamper, string Reason)> ResourceCases(TapBackend other) =>
    [
        ("nothing", files => Remove(files, 0, 5), "memory: memfd"),
        ("no RAM", files => Remove(files, 0, 1), "net1/tap-resources"),
        ("the last queue missing", files => Remove(files, 4, 1), "net1/tap-resources"),
        ("one too many", files => files.Add(HostFile.Null()), "1 more open files came with it than its sections name"),
        ("RAM and a queue swapped", files => Swap(files, 0, 1), "memory"),
        ("two devices' queues swapped", files => Swap(files, 1, 3), "t1"),
        ("two devices' back ends swapped", files => files.Reverse(1, 4), "t1"),
        ("a queue twice", files => Replace(files, 2, files[1].Duplicate()), "t0"),
        ("/dev/null for a queue", files => Replace(files, 2, HostFile.Null()), "/dev/null, no TAP"),
        ("a socket for a queue", files => Replace(files, 1, HostFile.Socket()), "no TAP"),
        ("a file for a queue", files => Replace(files, 4, HostFile.Regular(_folder["regular"])), "no TAP"),
        ("a queue without an interface", files => Replace(files, 1, HostFile.Unattached()), "without an interface"),
        ("another interface", files => { Replace(files, 1, other.Descriptors[0].Duplicate()); Replace(files, 2, other.Descriptors[1].Duplicate()); }, "t2"),
        ("/dev/null for RAM", files => Replace(files, 0, HostFile.Null()), "guest memory of 64 MiB"),
        ("a file for RAM", files => Replace(files, 0, HostFile.Regular(_folder["regular"])), "guest memory of 64 MiB"),
        ("RAM too small", files => Replace(files, 0, HostFile.Memory(RamSize - 4096)), "guest memory of 64 MiB"),
        ("RAM too big", files => Replace(files, 0, HostFile.Memory(RamSize + 4096)), "guest memory of 64 MiB"),
        ("RAM that can shrink", files => Replace(files, 0, HostFile.Memory(RamSize, isSealed: false)), "guest memory of 64 MiB"),
    ];

    /// <summary>Whoever strips descriptors off says so in no header.</summary>
    [Fact]
    public void Messages_WhoseDescriptorsWereLost_AreRefusedByNumber()
    {
        using UpdatedGuest guest = new();

        guest.UpdateWrongly("Hello", message => Remove(message.Files, 0, 1)).Should().Contain("no open files come through this channel");
        guest.UpdateWrongly("Resources", message => Remove(message.Files, 1, 1)).Should().Contain("1 descriptors came with the message, 2 were sent");
        guest.UpdateWrongly("Pausing", message => Remove(message.Files, 0, 1)).Should().Contain("descriptors came with the message");

        guest.ExpectRunBy(guest.Source, "failed");
    }

    [Fact]
    public void Hello_WithAnotherBaton_IsRefused()
    {
        using UpdatedGuest guest = new();
        List<string> wrong = [];
        foreach ((string name, Func<FileDescriptor> file) in ((string, Func<FileDescriptor>)[])
        [
            ("/dev/null", HostFile.Null),
            ("socket", HostFile.Socket),
            ("file", () => HostFile.Regular(_folder["regular"])),
            ("too small", () => HostFile.Memory(0)),
            ("too big", () => HostFile.Memory(8192)),
            ("can shrink", () => HostFile.Memory(4096, isSealed: false)),
        ])
        {
            Compare(wrong, name, guest.UpdateWrongly("Hello", message => Replace(message.Files, 0, file())), "the baton");
        }

        string.Join("; ", wrong).Should().BeEmpty();
        guest.ExpectRunBy(guest.Source, "failed");
    }

    /// <summary>The control plane's listener and its client come just before the state; the destination uses them when it has the guest.</summary>
    [Fact]
    public void Pausing_WithOtherDescriptors_IsRefusedByNameAndTheGuestRunsOn()
    {
        using UpdatedGuest guest = new();
        List<string> wrong = [];
        foreach ((string name, Action<List<FileDescriptor>> tamper, string reason) in ((string, Action<List<FileDescriptor>>, string)[])
        [
            ("nothing", files => Remove(files, 0, files.Count), "qmp: listener: the open file did not come"),
            ("one missing", files => Remove(files, files.Count - 1, 1), "qmp"),
            ("one too many", files => files.Add(HostFile.Null()), "1 more open files"),
            ("/dev/null for the listener", files => Replace(files, files.Count - 2, HostFile.Null()), "qmp"),
            ("a file for the listener", files => Replace(files, files.Count - 2, HostFile.Regular(_folder["regular"])), "qmp"),
            ("/dev/null for the client", files => Replace(files, files.Count - 1, HostFile.Null()), "qmp"),
            ("swapped", files => Swap(files, files.Count - 1, files.Count - 2), "qmp"),
        ])
        {
            string found = guest.UpdateWrongly("Pausing", message =>
            {
                tamper(message.Files);
                message.Correct();
            });
            Compare(wrong, name, found, reason);
        }

        string.Join("; ", wrong).Should().BeEmpty();
        guest.ExpectRunBy(guest.Source, "failed");
    }

    private static void Compare(List<string> wrong, string name, string found, string reason)
    {
        if (!found.Contains(reason, StringComparison.Ordinal))
        {
            wrong.Add($"{name}: '{reason}' is not in: {found}");
        }
    }

    private static void Remove(List<FileDescriptor> files, int index, int count)
    {
        files.GetRange(index, count).ForEach(file => file.Dispose());
        files.RemoveRange(index, count);
    }

    private static void Replace(List<FileDescriptor> files, int index, FileDescriptor other)
    {
        files[index].Dispose();
        files[index] = other;
    }

    private static void Swap(List<FileDescriptor> files, int first, int second) => (files[first], files[second]) = (files[second], files[first]);
}
