using Vmm.Core.State;

namespace Vmm.Core.Consoles;

/// <summary>
/// Where a serial port's bytes come from and go to on the host. Callable from any thread; never blocks on a slow reader.
/// </summary>
public interface IConsole : IDisposable
{
    /// <summary>Where it is, for people: <c>pty /dev/pts/3</c>.</summary>
    string Description { get; }

    /// <summary>Begins to deliver what the host types. Once.</summary>
    void Start(IConsoleReceiver receiver);

    /// <summary>Queues bytes for the host. When nobody reads for long the oldest go and are counted.</summary>
    void Write(scoped ReadOnlySpan<byte> bytes);

    /// <summary>The receiver, which had refused bytes, has room again.</summary>
    void ResumeInput();

    /// <summary>From its return on nothing is read from the host or written to it; what comes meanwhile waits.</summary>
    void Suspend()
    {
    }

    /// <summary>Goes on after <see cref="Suspend"/>.</summary>
    void Resume()
    {
    }

    /// <summary>What another process needs to go on with it; nothing, for one that means nothing there. Saved while suspended.</summary>
    IStateSection CreateStateSection() => new ConsoleSection(ConsoleState.Empty, _ => { });

    /// <summary>Another process has it: closes the descriptors and leaves the host's side as it is.</summary>
    void Abandon()
    {
    }

    /// <summary>Waits until what was written has left, at most this long. For the machine's end.</summary>
    void Flush(TimeSpan limit);

    /// <summary>Bytes that were dropped because nobody read them.</summary>
    long DroppedBytes { get; }
}
