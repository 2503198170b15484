using Vmm.Core.Consoles;

namespace Vmm.Core.Tests.Consoles;

/// <summary>A guest that takes a few bytes at a time, as a UART's FIFO does, and says when it has room again.</summary>
internal sealed class SlowReceiver(IConsole console, int room) : IConsoleReceiver
{
    private readonly Lock _lock = new();
    private readonly List<byte> _taken = [];
    private int _room = room;
    private bool _refused;

    public int Receive(ReadOnlySpan<byte> bytes)
    {
        lock (_lock)
        {
            int count = Math.Min(_room, bytes.Length);
            _taken.AddRange(bytes[..count]);
            _room -= count;
            _refused = count < bytes.Length;
            return count;
        }
    }

    public byte[] Taken
    {
        get
        {
            lock (_lock)
            {
                return [.. _taken];
            }
        }
    }

    public void MakeRoom(int count)
    {
        bool refused;
        lock (_lock)
        {
            _room += count;
            refused = _refused;
            _refused = false;
        }

        if (refused)
        {
            console.ResumeInput();
        }
    }
}
