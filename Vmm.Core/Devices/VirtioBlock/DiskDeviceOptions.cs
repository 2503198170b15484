using System.Globalization;
using System.Text;

namespace Vmm.Core.Devices.VirtioBlock;

/// <summary>One disk as <c>--disk</c> describes it, checked: <c>path=root.img,id=disk0,readonly=on,cache=none,serial=ROOT,queues=2</c>.</summary>
public sealed partial record DiskDeviceOptions : DeviceOptions
{
    public const int MaxQueues = 16;

    /// <summary>Bytes of a serial number (virtio 1.2 section 5.2.6, VIRTIO_BLK_T_GET_ID).</summary>
    public const int MaxSerial = 20;

    /// <summary>A regular file with the disk's bytes as they are, or a block device.</summary>
    public string Path { get; init; } = "";

    public bool ReadOnly { get; init; }

    public DiskCache Cache { get; init; }

    /// <summary>What the guest reads as serial number; null for the id.</summary>
    public string? Serial { get; init; }

    /// <summary>Request queues, each with a thread of its own; 1 to 16.</summary>
    public int Queues { get; init; } = 1;

    /// <inheritdoc/>
    public override string OptionName => "--disk";

    /// <inheritdoc/>
    public override string Format()
    {
        StringBuilder text = new($"path={Path.Replace(",", ",,", StringComparison.Ordinal)}");
        Append("id", Id);
        Append("readonly", ReadOnly ? "on" : null);
        Append("cache", Cache == DiskCache.WriteBack ? null : Array.Find(s_caches, cache => cache.Cache == Cache).Word);
        Append("serial", Serial?.Replace(",", ",,", StringComparison.Ordinal));
        Append("queues", Queues == 1 ? null : Queues.ToString(CultureInfo.InvariantCulture));
        return text.ToString();

        void Append(string key, string? value)
        {
            if (value is not null)
            {
                text.Append(',').Append(key).Append('=').Append(value);
            }
        }
    }
}
