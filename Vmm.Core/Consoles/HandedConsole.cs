using Vmm.Core.Events;
using Vmm.Core.Machine;
using Vmm.Core.State;

namespace Vmm.Core.Consoles;

/// <summary>
/// A console that another process has opened. Its state comes late, with the guest's, and it is used only from <see cref="Start"/> on: until
/// then it may still be the other's.
/// </summary>
internal sealed class HandedConsole(ConsoleOptions options, EventLoop loop, MachineLifetime lifetime) : IConsole
{
    private readonly Lock _lock = new();
    private readonly List<byte> _early = []; // what the guest printed between its first instruction here and Start
    private ConsoleState _state = ConsoleState.Empty();
    private volatile IConsole? _console;

    public string Description => _console?.Description ?? options.ToString();

    public long DroppedBytes => _console?.DroppedBytes ?? 0;

    public void Start(IConsoleReceiver receiver)
    {
        lock (_lock)
        {
            IConsole console = ConsoleFactory.Adopt(options, loop, lifetime, in _state);
            console.Write(_state.Output);
            console.Write(_early.ToArray());
            _console = console;
            console.Start(_state.Input.Length == 0 ? receiver : new Earlier(receiver, _state.Input));
        }
    }

    public void Write(scoped ReadOnlySpan<byte> bytes)
    {
        if (_console is { } console)
        {
            console.Write(bytes);
            return;
        }

        lock (_lock)
        {
            if (_console is { } started)
            {
                started.Write(bytes);
            }
            else
            {
                _early.AddRange(bytes);
            }
        }
    }

    public void ResumeInput() => _console?.ResumeInput();

    public void Suspend() => _console?.Suspend();

    public void Resume() => _console?.Resume();

    public IStateSection CreateStateSection() => _console?.CreateStateSection() ?? new ConsoleSection(() => _state, state => _state = state, state => ConsoleFactory.Check(options, in state));

    public void Abandon() => _console?.Abandon();

    public void Flush(TimeSpan limit) => _console?.Flush(limit);

    public void Dispose() => _console?.Dispose();

    /// <summary>Gives the guest first what had been typed before.</summary>
    private sealed class Earlier(IConsoleReceiver receiver, byte[] typed) : IConsoleReceiver
    {
        private int _given;

        public int Receive(ReadOnlySpan<byte> bytes)
        {
            while (_given < typed.Length)
            {
                int taken = receiver.Receive(typed.AsSpan(_given));
                _given += taken;
                if (taken == 0)
                {
                    return 0;
                }
            }

            return receiver.Receive(bytes);
        }
    }
}
