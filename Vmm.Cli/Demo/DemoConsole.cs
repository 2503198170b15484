using System.Diagnostics;
using System.Text;
using Vmm.Core.Consoles;

namespace Vmm.Cli.Demo;

/// <summary>Keeps the lines that the guest prints and the moment of its first byte.</summary>
internal sealed class DemoConsole : IConsole
{
    private readonly Lock _lock = new();
    private readonly StringBuilder _line = new();
    private readonly Queue<string> _lines = [];
    private long _firstByteAt;

    public string Description => "vmm demo";

    public long DroppedBytes => 0;

    /// <summary>A <see cref="Stopwatch"/> timestamp, or 0 when nothing has come yet.</summary>
    public long FirstByteAt => Interlocked.Read(ref _firstByteAt);

    /// <summary>The next whole line that nobody has taken yet.</summary>
    public bool TryTakeLine(out string line)
    {
        lock (_lock)
        {
            return _lines.TryDequeue(out line!);
        }
    }

    public void Start(IConsoleReceiver receiver)
    {
    }

    public void Write(scoped ReadOnlySpan<byte> bytes)
    {
        Interlocked.CompareExchange(ref _firstByteAt, Stopwatch.GetTimestamp(), 0);
        lock (_lock)
        {
            foreach (byte value in bytes)
            {
                if (value == '\n')
                {
                    _lines.Enqueue(_line.ToString());
                    _line.Clear();
                }
                else if (value is >= 0x20 and < 0x7F)
                {
                    _line.Append((char)value);
                }
            }
        }
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
