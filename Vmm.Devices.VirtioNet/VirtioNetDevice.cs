using Microsoft.Extensions.Logging;
using Vmm.Core.Events;
using Vmm.Core.Network;
using Vmm.Core.Virtio;

namespace Vmm.Devices.VirtioNet;

/// <summary>
/// A virtio network card (virtio 1.2 section 5.1).
/// </summary>
/// <remarks>
/// Protocol. Locks, always taken in this order: the transport's register lock (vCPU threads come in with it), the device's own (state,
/// control queue), a queue pair's (its rings), the transport's interrupt lock. I/O threads begin at the device's (control queue) or at
/// a pair's.
/// <code>
///   vCPU:      registers -> device -> pair            Activate, Reset, ResetQueue, EnableQueue, Pause, Resume, config space
///   I/O:                    device -> pair            control queue, on the first pair's thread
///   I/O:                              pair            receive and transmit
/// </code>
/// The back end is not disposed: it belongs to whoever made it, and has to outlive the device.
/// </remarks>
public sealed partial class VirtioNetDevice : IVirtioDevice
{
    /// <summary>The most queue pairs that one device has.</summary>
    public const int MaxQueuePairs = 16;

    private const ushort ControlQueueSize = 64;

    private readonly VirtioNetConfig _config;
    private readonly INetworkBackend _backend;
    private readonly ILogger _log;
    private readonly int? _mtu;

    private readonly Lock _lock = new();
    private readonly EventFd[] _doorbells;
    private readonly EventLoop[] _loops;
    private readonly QueuePair[] _pairs;
    private EventRegistration? _controlWatch;
    private IVirtioTransport? _transport;
    private QueueLayout _layout;
    private bool _isPaused;
    private bool _isDisposed;

    private VirtioNetState _state;

    /// <exception cref="ArgumentException">The configuration makes no sense, or asks more of the back end than it has.</exception>
    public VirtioNetDevice(VirtioNetConfig config, INetworkBackend backend, ILogger log)
    {
        Check(config, backend);
        _config = config;
        _backend = backend;
        _log = new RateLimitedLogger(log);
        _mtu = config.Mtu ?? backend.Mtu;
        OfferedFeatures = VirtioNetFeatures.Offered(config, _mtu, backend.SupportedOffloads);
        MaxQueueSizes = [.. Enumerable.Repeat(config.QueueSize, 2 * config.QueuePairs), ControlQueueSize];
        _layout = new QueueLayout(config.QueuePairs, hasMultiQueue: true);
        _state = VirtioNetState.Initial(config.Mac, linkUp: true);

        _doorbells = [.. MaxQueueSizes.Select(_ => new EventFd())];
        int loops = config.SharedIoThread ? 1 : config.QueuePairs;
        _loops = [.. Enumerable.Range(0, loops).Select(i => new EventLoop($"{config.Id}-io{i}"))];
        FrameRules rules = MakeRules(_state.GuestOffloads);
        _pairs = [.. Enumerable.Range(0, config.QueuePairs).Select(MakePair)];
        for (int i = 0; i < _pairs.Length; i++)
        {
            _pairs[i].Attach(_doorbells[QueueLayout.ReceiveIndex(i)], _doorbells[QueueLayout.TransmitIndex(i)]);
        }

        Metrics = new VirtioNetMetrics(
            [.. _pairs.Select(pair => pair.ReceiveMetrics)],
            [.. _pairs.Select(pair => pair.TransmitMetrics)],
            _controlMetrics);

        QueuePair MakePair(int i) => new($"{config.Id} pair {i}", backend.GetQueue(i), _loops[i % _loops.Length], rules, _log);
    }

    public uint DeviceId => 1;

    /// <summary>The address that the device begins with.</summary>
    public MacAddress Mac => _config.Mac;

    /// <summary>What the guest is told, in bytes, or null.</summary>
    public int? Mtu => _mtu;

    public ulong OfferedFeatures { get; }

    public IReadOnlyList<ushort> MaxQueueSizes { get; }

    /// <summary>Counters, readable at any time from any thread.</summary>
    public VirtioNetMetrics Metrics { get; }

    public EventFd GetDoorbell(int queue) => _doorbells[queue];

    /// <summary>A queue pair, for tests and benchmarks that run its batches themselves.</summary>
    internal QueuePair GetPair(int index) => _pairs[index];

    public string? RejectFeatures(ulong features) => VirtioNetFeatures.Reject(features);

    public void Dispose()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        Reset();

        // ORDER: threads end before what their handlers use.
        foreach (EventLoop loop in _loops)
        {
            loop.Dispose();
        }

        foreach (QueuePair pair in _pairs)
        {
            pair.Dispose();
        }

        foreach (EventFd doorbell in _doorbells)
        {
            doorbell.Dispose();
        }

        _controlReadable.Dispose();
        _controlWritable.Dispose();
    }

    private FrameRules MakeRules(ulong guestOffloads)
    {
        ulong features = _transport?.Features ?? 0;
        return new FrameRules(features, guestOffloads, _state.LinkUp, new ReceiveFilter(_state.Mac, _state.Filter, features));
    }

    /// <summary>Tells all pairs what the state says now.</summary>
    private void PublishRules() => PublishRules(_state.GuestOffloads);

    private void PublishRules(ulong guestOffloads)
    {
        FrameRules rules = MakeRules(guestOffloads);
        foreach (QueuePair pair in _pairs)
        {
            pair.Rules = rules;
        }
    }

    private static void Check(VirtioNetConfig config, INetworkBackend backend)
    {
        if (config.QueuePairs is < 1 or > MaxQueuePairs)
        {
            throw new ArgumentException($"{config.Id}: {config.QueuePairs} queue pairs are not 1 to {MaxQueuePairs}.", nameof(config));
        }

        if (config.QueuePairs > backend.QueueCount)
        {
            throw new ArgumentException(
                $"{config.Id}: {config.QueuePairs} queue pairs are more than the {backend.QueueCount} of {backend.Description}.",
                nameof(config));
        }

        if ((config.Mtu ?? backend.Mtu) is < 68 or > 65_535)
        {
            throw new ArgumentException($"{config.Id}: an MTU of {config.Mtu ?? backend.Mtu} bytes is not 68 to 65535.", nameof(config));
        }

        if (config.Mac.IsMulticast)
        {
            throw new ArgumentException($"{config.Id}: {config.Mac} is a group address; a card has a unicast address.", nameof(config));
        }
    }
}
