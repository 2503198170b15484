namespace Vmm.Cli.Machines;

/// <summary>Which back ends a command wants to have moved: all that can, or these.</summary>
/// <param name="Ids">Of devices; null for all that can.</param>
internal sealed record BackendTransfer(IReadOnlyList<string>? Ids)
{
    public static readonly BackendTransfer All = new((IReadOnlyList<string>?)null);

    public static readonly BackendTransfer None = new([]);

    /// <summary>The ids of the devices whose back ends move.</summary>
    /// <param name="machine">Whose devices.</param>
    /// <param name="replaced">Devices that get another back end, and so are not among all that can.</param>
    /// <exception cref="UserErrorException">A device is not there, or its back end can't move.</exception>
    public HashSet<string> Resolve(Machine machine, IReadOnlyCollection<string> replaced)
    {
        if (Ids is null)
        {
            return [.. machine.Devices.Where(device => device.TransferRefusal is null && !replaced.Contains(device.Id)).Select(device => device.Id)];
        }

        foreach (string id in Ids)
        {
            MachineDevice device = machine.Devices.FirstOrDefault(device => device.Id == id)
                ?? throw new UserErrorException($"{id}: there is no such device; there are {string.Join(", ", machine.Devices.Select(device => device.Id))}.");
            if (device.TransferRefusal is { } reason)
            {
                throw new UserErrorException($"{id}: {reason}.");
            }
        }

        return [.. Ids];
    }
}
