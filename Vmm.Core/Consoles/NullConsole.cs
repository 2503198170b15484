namespace Vmm.Core.Consoles;

/// <summary>Output goes nowhere and input never comes.</summary>
internal sealed class NullConsole : IConsole
{
    public string Description => "none";

    public long DroppedBytes => 0;

    public void Start(IConsoleReceiver receiver)
    {
    }

    public void Write(scoped ReadOnlySpan<byte> bytes)
    {
    }

    public void ResumeInput()
    {
    }

    public void Flush(TimeSpan limit)
    {
    }

    public void Dispose()
    {
    }
}
