using Vmm.Backends.Tap;
using Vmm.Cli.Qmp;
using Vmm.Core.Consoles;
using Vmm.Core.Memory;
using Vmm.Core.State;
using Vmm.Core.Virtio;
using Vmm.Devices.VirtioNet;
using Vmm.Kvm;
using Vmm.Kvm.State;
using Vmm.Migration.Stream;

namespace Vmm.Migration.Tests.Conformance;

/// <summary>A struct with a description, found in what ships.</summary>
internal static class DescribedType
{
    /// <summary>Structs that need room before they can be loaded, as their sections make it.</summary>
    private static readonly Dictionary<Type, Func<object>> s_empty = new()
    {
        [typeof(ConsoleState)] = () => ConsoleState.Empty(),
        [typeof(KvmVcpuState)] = () => new KvmVcpuState { Xsave = new byte[64], Msrs = new MsrBuffer(3) },
        [typeof(QmpServerState)] = () => new QmpServerState { Clients = [] },
        [typeof(ManifestState)] = () => new ManifestState { Json = new byte[3] },
        [typeof(MacTable)] = () => MacTable.Empty(),
        [typeof(ReceiveFilterState)] = () => ReceiveFilterState.Initial(),
        [typeof(ReceiveQueueState)] = () => Pair(),
        [typeof(VirtioMmioTransportState)] = () => new VirtioMmioTransportState { Queues = new VirtqueueState[3] },
        [typeof(VirtioNetSectionState)] = () => new VirtioNetSectionState { Device = VirtioNetState.Initial(default, false), Pairs = [Pair(), Pair()] },
        [typeof(VirtioNetState)] = () => VirtioNetState.Initial(default, linkUp: false),
    };

    /// <summary>All of them, by the names that they have on the wire.</summary>
    public static IReadOnlyList<Type> All { get; } =
    [
        .. new[] { typeof(IStateSection).Assembly, typeof(KvmVirtualMachine).Assembly, typeof(VirtioNetDevice).Assembly, typeof(TapBackend).Assembly, typeof(Migration.Stream.StreamFormat).Assembly, typeof(QmpServerState).Assembly }
            .SelectMany(assembly => assembly.GetTypes())
            .Where(type => type.IsValueType && type.GetInterfaces().Any(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IDescribed<>)))
            .OrderBy(type => type.FullName, StringComparer.Ordinal),
    ];

    public static T Empty<T>() where T : struct, IDescribed<T> => s_empty.TryGetValue(typeof(T), out Func<object>? make) ? (T)make() : default;

    /// <summary>A state with a value in every row that its <see cref="IDescribed{TSelf}.PostLoad"/> accepts.</summary>
    public static T Filled<T>() where T : struct, IDescribed<T>
    {
        string refusal = "";
        for (uint seed = 1; seed < 5_000; seed++)
        {
            T state = Empty<T>();
            StateFiller filler = new(seed);
            T.Describe(ref filler, ref state);
            try
            {
                StateBuffer bytes = Bytes(ref state);
                StateInput input = new(bytes.Written, bytes.Descriptors);
                T loaded = Empty<T>();
                StateReader.Read(ref input, "filled", int.MaxValue, ref loaded);
                return state;
            }
            catch (StateException e)
            {
                refusal = e.Message; // for what its rows say together: the next one
            }
        }

        throw new InvalidOperationException($"{typeof(T)}: no state is accepted, the last one because of {refusal}");
    }

    public static StateBuffer Bytes<T>(ref T state) where T : struct, IDescribed<T>
    {
        StateBuffer buffer = new();
        StateWriter.Write(buffer, int.MaxValue, ref state);
        return buffer;
    }

    private static ReceiveQueueState Pair() => new() { PendingFrame = new HostBuffer(64) };
}
