using System.Globalization;
using System.Text;

namespace Vmm.Core.Network;

public sealed partial record NetworkDeviceOptions
{
    /// <inheritdoc/>
    public override string OptionName => "--net";

    /// <inheritdoc/>
    public override string Format()
    {
        StringBuilder text = new(Array.Find(_kinds, kind => kind.Kind == Kind).Word);
        Append(text, "id", Id);
        Append(text, "ifname", IfName);
        Append(text, "path", Path);
        Append(text, "peer", Peer);
        Append(text, "queues", Queues == 1 ? null : Queues.ToString(CultureInfo.InvariantCulture));
        Append(text, "mac", Mac?.ToString());
        Append(text, "mtu", Mtu?.ToString(CultureInfo.InvariantCulture));
        Append(text, "sndbuf", SendBuffer?.ToString(CultureInfo.InvariantCulture));
        Append(text, "vhost", Vhost ? "on" : null);
        Append(text, "iothread", Threads == NetworkThreads.Shared ? "shared" : null);
        return text.ToString();
    }

    private static void Append(StringBuilder text, string key, string? value)
    {
        if (value is not null)
        {
            text.Append(',').Append(key).Append('=').Append(value);
        }
    }
}
