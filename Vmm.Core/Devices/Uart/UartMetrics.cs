namespace Vmm.Core.Devices.Uart;

/// <summary>What a UART has done since the start.</summary>
/// <param name="TransmittedBytes">Bytes from the guest to the console.</param>
/// <param name="ReceivedBytes">Bytes from the console that the FIFO took.</param>
/// <param name="Overruns">Bytes lost because the FIFO was full (in loopback: the console waits for room).</param>
public readonly record struct UartMetrics(long TransmittedBytes, long ReceivedBytes, long Overruns);
