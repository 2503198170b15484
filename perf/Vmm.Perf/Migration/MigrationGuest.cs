using Vmm.Perf.Compare;

namespace Vmm.Perf.Migration;

/// <summary>The demo guest as all contenders run it: it polls, and writes to a part of its RAM again and again.</summary>
/// <param name="Kernel">Its ELF file.</param>
/// <param name="Memory">Its RAM.</param>
/// <param name="Writes">How much of that it writes to: a number of bytes, which may end in K, M or G.</param>
internal sealed record MigrationGuest(string Kernel, string Memory, string Writes)
{
    public string CommandLine => $"ip={Contender.GuestAddress} poll check={Writes}";
}
