using Vmm.Cli.Machines;
using Vmm.Core.Network;

namespace Vmm.Cli.Commands;

/// <summary>What no two <c>--net</c> options may have in common.</summary>
internal static class NetworkConflict
{
    /// <returns>A sentence about the first conflict, or null.</returns>
    public static string? Find(IReadOnlyList<NetworkDeviceOptions> networks)
    {
        Dictionary<string, string> owners = [];
        for (int i = 0; i < networks.Count; i++)
        {
            string id = MachineOptions.GetId(networks[i], "net", i);
            if (!owners.TryAdd($"id={id}", id))
            {
                return $"Two --net options have the id {id}; give each its own.";
            }

            foreach (int fd in networks[i].Fds.Concat(networks[i].VhostFds))
            {
                if (FindOwner($"fd={fd}", id) is { } other)
                {
                    return $"--net: {other} and {id} both name descriptor {fd}; each device needs its own.";
                }
            }

            if (networks[i].IfName is { } name && FindOwner($"ifname={name}", id) is { } user)
            {
                return $"--net: {user} and {id} both have ifname={name}; give each its own interface.";
            }
        }

        return null;

        string? FindOwner(string thing, string id) => owners.TryAdd(thing, id) ? null : owners[thing];
    }
}
