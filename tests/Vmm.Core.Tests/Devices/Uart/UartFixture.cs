using Vmm.Core.Devices.Uart;

namespace Vmm.Core.Tests.Devices.Uart;

/// <summary>A UART as the guest and the host see it.</summary>
internal sealed class UartFixture
{
    public const int RBR = 0, THR = 0, DLL = 0, IER = 1, DLM = 1, IIR = 2, FCR = 2, LCR = 3, MCR = 4, LSR = 5, MSR = 6, SCR = 7;

    public UartFixture() => Device = new UartDevice(Console, Line);

    public RecordingConsole Console { get; } = new();

    public RecordingLine Line { get; } = new();

    public UartDevice Device { get; }

    public byte In(int register)
    {
        Span<byte> data = [0xFF];
        Device.Read((ulong)register, data);
        return data[0];
    }

    public void Out(int register, int value) => Device.Write((ulong)register, [(byte)value]);

    public int Receive(params byte[] bytes) => Device.Receive(bytes);
}
