using System.Text;

namespace Vmm.DemoGuest;

/// <summary>The texts that the guest prints or compares with; each is stored once.</summary>
internal sealed class TextTable
{
    private readonly Dictionary<string, int> _addresses = [];
    private readonly List<byte> _bytes = [];

    /// <summary>Address of the text in guest memory (not terminated; the length is the text's).</summary>
    public int AddressOf(string text)
    {
        if (!_addresses.TryGetValue(text, out int address))
        {
            address = GuestLayout.Texts + _bytes.Count;
            _bytes.AddRange(Encoding.ASCII.GetBytes(text));
            if (GuestLayout.Texts + _bytes.Count > GuestLayout.DataEnd)
            {
                throw new InvalidOperationException("The guest's texts are longer than the space laid out for them.");
            }
            _addresses.Add(text, address);
        }
        return address;
    }

    public void CopyTo(Span<byte> destination) => _bytes.ToArray().CopyTo(destination);
}
