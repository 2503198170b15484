using Vmm.Core.Events;
using Vmm.Core.Linux;
using Vmm.Core.State;

namespace Vmm.Core.Consoles;

/// <summary>What the consoles on descriptors have in common: one way out, and for most one way in.</summary>
internal abstract class DescriptorConsole : IConsole
{
    protected DescriptorConsole(EventLoop loop, string description)
    {
        Output = new ConsoleOutput(loop);
        Description = description;
    }

    public string Description { get; protected init; }

    public long DroppedBytes => Output.DroppedBytes;

    protected ConsoleOutput Output { get; }

    /// <summary>Null for a console that only prints.</summary>
    protected ConsoleInput? Input { get; init; }

    /// <summary>The open files that go to another process with it.</summary>
    protected virtual IReadOnlyList<FileDescriptor> Files => [];

    public virtual void Start(IConsoleReceiver receiver) => Input?.Start(receiver);

    public void Write(scoped ReadOnlySpan<byte> bytes) => Output.Write(bytes);

    public void ResumeInput() => Input?.Resume();

    public void Flush(TimeSpan limit) => Output.Flush(limit);

    public void Suspend()
    {
        Input?.Suspend();
        Output.Suspend();
    }

    public void Resume()
    {
        Output.Resume();
        Input?.Unsuspend();
    }

    public IStateSection CreateStateSection() => new ConsoleSection(Save, _ => throw new InvalidOperationException("This console is open already."));

    public virtual void Abandon() => Dispose();

    protected virtual ConsoleState Save() => new() { Output = Output.Save(), Input = Input?.Save() ?? [], Mode = [], Files = [.. Files] };

    public virtual void Dispose()
    {
        Input?.Dispose();
        Output.Dispose();
    }
}
