using System.CommandLine;
using Vmm.Backends.Tap;
using Vmm.Cli.Doctor;

namespace Vmm.Cli.Demo;

/// <summary>What a guest on a network of its own needs from the host.</summary>
internal static class DemoPrerequisites
{
    /// <summary>Returns when it is there; without the right to make networks, the program begins again as root of namespaces of its own.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="command">The command, for messages.</param>
    /// <exception cref="UserErrorException">Something is missing.</exception>
    public static void Require(ParseResult parsed, string command)
    {
        Require(KvmCheck.Run());
        Require(HostChecks.Tun(), Verdict.Limited);
        if (UserNamespace.IsNeeded)
        {
            if (UserNamespace.FindObstacle() is { } obstacle)
            {
                throw new UserErrorException($"{command} needs a network of its own and may not make one. {obstacle}");
            }

            UserNamespace.Reexecute([.. parsed.Tokens.Select(token => token.Value)]);
        }
    }

    private static void Require(Finding finding, Verdict refused = Verdict.Bad)
    {
        if (finding.Verdict >= refused)
        {
            throw new UserErrorException($"{finding.Subject}: {finding.State}. {finding.Advice}");
        }
    }
}
