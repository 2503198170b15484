namespace Vmm.Cli.Qmp.Replies;

/// <summary>x-query-process.</summary>
/// <param name="Pid">The process that runs the guest; another one after an update.</param>
/// <param name="Started">When the guest began, in seconds since 1970.</param>
internal sealed record ProcessInfo(int Pid, long Started);
