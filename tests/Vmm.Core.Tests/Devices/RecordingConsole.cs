using Vmm.Core.Consoles;

namespace Vmm.Core.Tests.Devices;

/// <summary>A console without a host: what was written, and how often input was asked for.</summary>
internal sealed class RecordingConsole : IConsole
{
    public List<byte> Written { get; } = new(4096);

    public int Resumed { get; private set; }

    public string Description => "recording";

    public long DroppedBytes => 0;

    public void Start(IConsoleReceiver receiver)
    {
    }

    public void Write(scoped ReadOnlySpan<byte> bytes)
    {
        foreach (byte value in bytes)
        {
            Written.Add(value);
        }
    }

    public void ResumeInput() => Resumed++;

    public void Flush(TimeSpan limit)
    {
    }

    public void Dispose()
    {
    }
}
