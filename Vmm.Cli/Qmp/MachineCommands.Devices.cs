using Vmm.Cli.Machines;
using Vmm.Cli.Qmp.Replies;
using Vmm.Devices.VirtioNet;

namespace Vmm.Cli.Qmp;

// Network devices.
internal sealed partial class MachineCommands
{
    private void RegisterDevices(QmpCommands commands)
    {
        commands.Add("set_link", arguments =>
        {
            string name = arguments.String("name");
            bool up = arguments.Boolean("up");
            arguments.End();
            (Find(name) ?? throw new QmpException(QmpErrorClass.DeviceNotFound, $"Device '{name}' not found")).Device.SetLink(up);
        });
        commands.Add("query-rx-filter", DescribeFilters, QmpJson.Default.RxFilterInfoArray);
    }

    private NetworkCard? Find(string name) => _machine.Cards.FirstOrDefault(card => card.Id == name);

    private RxFilterInfo[] DescribeFilters(QmpArguments arguments)
    {
        string? name = arguments.OptionalString("name");
        arguments.End();
        IEnumerable<NetworkCard> cards = name is null ? _machine.Cards : [Find(name) ?? throw new QmpException($"invalid net client name: {name}")];
        return [.. cards.Select(card => Describe(card.Id, card.Device.GetReceiveFilter()))];
    }

    private static RxFilterInfo Describe(string name, ReceiveFilterReport filter) => new(
        filter.Promiscuous,
        name,
        filter.Mac.ToString(),
        Mode(filter.NoUnicast, filter.AllUnicast),
        filter.Vlans switch
        {
            null => "all",
            [] => "none",
            _ => "normal",
        },
        filter.Vlans ?? [],
        [.. filter.Unicast.Select(address => address.ToString())],
        Mode(filter.NoMulticast, filter.AllMulticast),
        filter.MulticastOverflowed,
        filter.UnicastOverflowed,
        [.. filter.Multicast.Select(address => address.ToString())],
        !filter.NoBroadcast);

    private static string Mode(bool none, bool all) => none ? "none" : all ? "all" : "normal";
}
