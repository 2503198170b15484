using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Vmm.Cli.Qmp.Replies;

namespace Vmm.Cli.Qmp;

/// <summary>What QMP's values look like: words with hyphens.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.KebabCaseLower)]
[JsonSerializable(typeof(StatusInfo))]
[JsonSerializable(typeof(VersionInfo))]
[JsonSerializable(typeof(NameInfo))]
[JsonSerializable(typeof(NameInfo[]))]
[JsonSerializable(typeof(CpuInfo[]))]
[JsonSerializable(typeof(MemorySummary))]
[JsonSerializable(typeof(ProcessInfo))]
[JsonSerializable(typeof(RxFilterInfo[]))]
[JsonSerializable(typeof(ShutdownCause))]
[JsonSerializable(typeof(MigrationEvent))]
[JsonSerializable(typeof(PanicEvent))]
[JsonSerializable(typeof(MigrationInfo))]
[JsonSerializable(typeof(MigrationParameters))]
[JsonSerializable(typeof(LiveUpdateReply))]
[JsonSerializable(typeof(BackendTransferInfo[]))]
internal sealed partial class QmpJson : JsonSerializerContext
{
    /// <summary>Quotes stay readable: nobody takes QMP for HTML.</summary>
    public static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}
