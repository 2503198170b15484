using Vmm.Core.Devices;
using Vmm.Core.Linux;
using Vmm.Core.Network;
using Vmm.Core.State;

namespace Vmm.Backends.Tap;

// Moving to another process with the interface as it is.
public sealed partial class TapBackend : ITransferableBackend
{
    private static readonly StateKind<TapState> s_kind = new(version: 1);

    private TapState _state = new() { ActiveQueues = 1 };

    /// <summary>What the section of its state is made of.</summary>
    public static StateKind StateKind => s_kind;

    /// <inheritdoc/>
    public bool IsOwner { get; set; } = true;

    /// <summary>The name of the section that <see cref="CreateResourceSection"/> makes.</summary>
    public static string GetResourceName(string id) => $"{id}/tap-resources";

    /// <inheritdoc/>
    public IStateSection CreateResourceSection(string id) => new ResourceSection<TapResources>(GetResourceName(id), new TapResources
    {
        Name = TapResources.InterfaceNameBytes.From(InterfaceName),
        HeaderSize = INetworkBackend.HeaderSize,
        Mtu = (uint)(Mtu ?? 0),
        SupportedOffloads = SupportedOffloads,
        Queues = [.. _descriptors],
        Vhost = CreateVhostResources(),
    });

    /// <inheritdoc/>
    public IStateSection CreateStateSection(string id) => new Section(this, id);

    /// <summary>
    /// Takes over what another process has sent; the descriptors belong to the back end when this returns. Nothing is set: the other
    /// process's guest still uses the interface.
    /// </summary>
    /// <exception cref="NetworkBackendException">A descriptor is not what the others say.</exception>
    public static TapBackend Adopt(in TapResources resources)
    {
        if (resources.HeaderSize != INetworkBackend.HeaderSize)
        {
            throw new NetworkBackendException($"vnet_hdr_size {resources.HeaderSize} is not {INetworkBackend.HeaderSize}, which this program uses.");
        }

        TapBackend backend = Adopt([.. resources.Queues!.Select(queue => queue!.Number)]);
        foreach (FileDescriptor? queue in resources.Queues!)
        {
            queue!.SetHandleAsInvalid();
        }

        try
        {
            string name = resources.Name.ToString();
            if (backend.InterfaceName != name)
            {
                throw new NetworkBackendException($"ifname {name}: the descriptors that came are those of {backend.InterfaceName}.");
            }

            backend.IsOwner = false;
            backend.SupportedOffloads = resources.SupportedOffloads;
            backend.Mtu = resources.Mtu == 0 ? null : (int)resources.Mtu;
            backend.UseVhost(in resources.Vhost);
            return backend;
        }
        catch
        {
            backend.Dispose();
            throw;
        }
    }

    private sealed class Section(TapBackend backend, string id) : StateSection<TapState>($"{id}/tap", s_kind)
    {
        protected override ref TapState Collect() => ref backend._state;

        protected override TapState Prepare() => default;

        protected override string? Check(in TapState state)
            => state.ActiveQueues < 1 || state.ActiveQueues > backend.QueueCount ? $"active_queues {state.ActiveQueues} is not 1 to {backend.QueueCount}"
                : (state.Offloads & ~backend.SupportedOffloads) != 0 ? $"offloads 0x{(uint)state.Offloads:x} has more than 0x{(uint)backend.SupportedOffloads:x}"
                : null;

        protected override void Apply(ref TapState state)
        {
            // The interface has it already: only this process has to know.
            backend._state = state;
            backend._offloadsKnown = true;
            backend._maxFrameSize = TapOffloads.MaxFrameSize(state.Offloads, backend.Mtu);
            for (int i = 0; backend._multiQueue && i < backend.QueueCount; i++)
            {
                backend._queues[i].SetAttached(i < state.ActiveQueues);
            }
        }
    }
}
