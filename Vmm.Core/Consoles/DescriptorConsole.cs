using Vmm.Core.Events;

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

    public virtual void Start(IConsoleReceiver receiver) => Input?.Start(receiver);

    public void Write(scoped ReadOnlySpan<byte> bytes) => Output.Write(bytes);

    public void ResumeInput() => Input?.Resume();

    public void Flush(TimeSpan limit) => Output.Flush(limit);

    public virtual void Dispose()
    {
        Input?.Dispose();
        Output.Dispose();
    }
}
