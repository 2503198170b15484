namespace Vmm.Cli.Qmp;

/// <summary>What a program may tell apart (QMP specification, QapiErrorClass).</summary>
internal static class QmpErrorClass
{
    public const string Generic = "GenericError";

    public const string CommandNotFound = "CommandNotFound";

    public const string DeviceNotFound = "DeviceNotFound";
}
