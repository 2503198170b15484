namespace Vmm.Cli.Qmp.Replies;

internal sealed record VersionTriple(int Micro, int Minor, int Major);
