using static Vmm.Core.Devices.Uart.UartRegisters;

namespace Vmm.Core.Devices.Uart;

public sealed partial class UartDevice
{
    /// <inheritdoc/>
    public int Receive(ReadOnlySpan<byte> bytes)
    {
        lock (_lock)
        {
            int count = InLoopback ? 0 : Math.Min(bytes.Length, Capacity - _state.FifoCount);
            foreach (byte value in bytes[..count])
            {
                Push(value);
            }

            _metrics = _metrics with { ReceivedBytes = _metrics.ReceivedBytes + count };
            _inputRefused = count < bytes.Length;
            UpdateInterrupt();
            return count;
        }
    }

    /// <summary>Without FIFOs there is one receiver buffer register.</summary>
    private int Capacity => FifoEnabled ? FifoSize : 1;

    private int TriggerLevel => !FifoEnabled ? 1 : (_state.FifoControl & FCR_TRIGGER_MASK) switch
    {
        0x00 => 1,
        0x40 => 4,
        0x80 => 8,
        _ => 14,
    };

    private void Push(byte value)
    {
        _state.Fifo[(_state.FifoHead + _state.FifoCount) % FifoSize] = value;
        _state.FifoCount++;
    }

    private byte Pop()
    {
        if (_state.FifoCount == 0)
        {
            return 0;
        }

        byte value = _state.Fifo[_state.FifoHead];
        _state.FifoHead = (byte)((_state.FifoHead + 1) % FifoSize);
        _state.FifoCount--;
        return value;
    }

    private void ClearFifo()
    {
        _state.FifoHead = 0;
        _state.FifoCount = 0;
    }

    /// <summary>A byte that the transmitter sends to its own receiver; nothing holds it back, so it may overrun.</summary>
    private void LoopBack(byte value)
    {
        if (_state.FifoCount < Capacity)
        {
            Push(value);
            return;
        }

        _state.Overrun = true;
        _metrics = _metrics with { Overruns = _metrics.Overruns + 1 };
    }

    private void ResumeInput()
    {
        if (_inputRefused && !InLoopback && _state.FifoCount < Capacity)
        {
            _inputRefused = false;
            _console.ResumeInput();
        }
    }
}
