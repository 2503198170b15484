using System.Globalization;

namespace Vmm.Testbed.Tests.Harness;

/// <summary>How much is done: enough for a test by default, more where the environment asks for it.</summary>
internal static class Effort
{
    /// <summary>Boots of each kind of guest, by vmm and by QEMU; null for what the test says. TESTBED_ROUNDS</summary>
    public static int? Rounds { get; } = Number("TESTBED_ROUNDS");

    /// <summary>Live updates under traffic. TESTBED_UPDATES</summary>
    public static int Updates { get; } = Number("TESTBED_UPDATES") ?? 20;

    /// <summary>How long a disk is written to under live updates. TESTBED_DISK_SECONDS</summary>
    public static TimeSpan DiskTime { get; } = TimeSpan.FromSeconds(Number("TESTBED_DISK_SECONDS") ?? 300);

    private static int? Number(string variable)
        => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;
}
