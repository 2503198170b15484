using System.Text.Json.Serialization;

namespace Vmm.Migration.Live;

/// <summary>How the messages that are JSON are written and read.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.KebabCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Skip,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(Manifest))]
[JsonSerializable(typeof(Verdict))]
[JsonSerializable(typeof(MigrationTimes))]
internal sealed partial class MigrationJson : JsonSerializerContext;
