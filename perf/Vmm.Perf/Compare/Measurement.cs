namespace Vmm.Perf.Compare;

/// <summary>What one run of one contender gave.</summary>
/// <param name="FirstOutput">Milliseconds from the making of the process to the first byte on the serial port.</param>
/// <param name="FirstPing">Milliseconds from the making of the process to the first ping answer.</param>
/// <param name="PingRoundTrip">Microseconds, the median of a run.</param>
/// <param name="EchoRateOne">UDP echoes a second, one in flight.</param>
/// <param name="EchoRateMany">UDP echoes a second, 32 in flight.</param>
/// <param name="Resident">MiB in memory, guest RAM not counted, after the traffic.</param>
internal sealed record Measurement(
    double FirstOutput, double FirstPing, double PingRoundTrip, double EchoRateOne, double EchoRateMany, double Resident);
