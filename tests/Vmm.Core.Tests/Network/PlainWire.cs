using Vmm.Core.Memory;
using Vmm.Core.Network;

namespace Vmm.Core.Tests.Network;

/// <summary>Buffers for both directions of a back end, frames given and taken as arrays without their header.</summary>
internal sealed class PlainWire : IDisposable
{
    private readonly HostBuffer _out = new(100_000);
    private readonly HostBuffer _in = new(100_000);

    public ScatterList Out { get; } = new(8);

    public ScatterList In { get; } = new(8);

    public byte[] Header { get; set; } = new byte[INetworkBackend.HeaderSize];

    public static byte[] Frame(int length, int seed = 1)
    {
        byte[] frame = new byte[length];
        new Random(seed).NextBytes(frame);
        return frame;
    }

    /// <summary>Transmits, in three ranges that cut header and frame.</summary>
    public int Send(INetworkQueue queue, byte[] frame)
    {
        Prepare(frame);
        return queue.Transmit(Out);
    }

    public void Prepare(byte[] frame)
    {
        int total = Header.Length + frame.Length;
        Header.CopyTo(_out.Span);
        frame.CopyTo(_out.Span[Header.Length..]);
        Out.Clear();
        int cut = Math.Min(5, total);
        Out.TryAdd(_out, 0, cut);
        Out.TryAdd(_out, cut, (total - cut) / 2);
        Out.TryAdd(_out, cut + (total - cut) / 2, total - cut - (total - cut) / 2);
    }

    /// <summary>The next frame; null when there is none, and the header is checked to be zeros.</summary>
    public byte[]? Take(INetworkQueue queue, int room = 100_000)
    {
        int length = Take(room, queue);
        if (length == 0)
        {
            return null;
        }

        length.Should().BeGreaterThan(0);
        _in.Span[..INetworkBackend.HeaderSize].ToArray().Should().OnlyContain(b => b == 0);
        return _in.Span[INetworkBackend.HeaderSize..length].ToArray();
    }

    public int Take(int room, INetworkQueue queue)
    {
        _in.Span.Fill(0xee);
        In.Clear();
        In.TryAdd(_in, 0, 3);
        In.TryAdd(_in, 3, room - 3);
        return queue.Receive(In);
    }

    public void Dispose()
    {
        Out.Dispose();
        In.Dispose();
        _out.Dispose();
        _in.Dispose();
    }
}
