using System.Reflection;
using System.Text;
using System.Text.Json;
using Vmm.Cli.Qmp;
using Vmm.Core.State;
using Vmm.Kvm.State;
using Vmm.Migration.Live;
using Vmm.Migration.Tests.Golden;

namespace Vmm.Migration.Tests.Conformance;

/// <summary>What holds for every struct with a description. They are found, not listed: a new one is tested because it is there.</summary>
public sealed class ConformanceTests
{
    private static readonly string[] s_queues = ["Command", "Id", "Input", "Output"];

    /// <summary>Fields that are made up after loading, or that mean nothing outside the process.</summary>
    private static readonly Dictionary<Type, string[]> s_notOnTheWire = new()
    {
        [typeof(KvmVcpuState)] = [".Msrs._slots[0].index", ".Msrs._slots[0].data"], // the spare slot in front
        [typeof(MigrationTimes)] = [.. ((string[])["Received", "Loaded", "Applied", "Running", "StateBytes"]).Select(name => $".<{name}>k__BackingField")], // the destination's
        [typeof(ByteQueue)] = ["._start"], // where it begins in its buffer
        [typeof(QmpClientState)] = [.. s_queues.Select(name => $".{name}._start")],
        [typeof(QmpServerState)] = [".Path._start", .. Enumerable.Range(0, 5).SelectMany(i => s_queues.Select(name => $".Clients[{i}].{name}._start"))],
        [typeof(KvmVmState)] = [".PicMaster.chip_id", ".PicSlave.chip_id", ".IoApic.chip_id"],
    };

    public static TheoryData<Type> Types => new(DescribedType.All);

    [Fact]
    public void StateNames_OfAllStructs_AreWordsAndDifferent()
    {
        string[] names = [.. DescribedType.All.Select(type => (string)type.GetProperty("StateName", BindingFlags.Static | BindingFlags.Public)!.GetValue(null)!)];
        names.Should().OnlyHaveUniqueItems().And.AllSatisfy(name => name.Should().MatchRegex("^[a-z][a-z0-9-]*$"));
        names.Should().HaveCountGreaterThan(20);
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Description_OfEveryStruct_NamesEveryField(Type type) => Run(nameof(NamesEveryField), type);

    [Theory]
    [MemberData(nameof(Types))]
    public void State_WrittenAndRead_IsTheSame(Type type) => Run(nameof(IsTheSameAfterReading), type);

    [Theory]
    [MemberData(nameof(Types))]
    public void State_CutAtEveryByte_IsRefused(Type type) => Run(nameof(IsRefusedWhenCut), type);

    [Theory]
    [MemberData(nameof(Types))]
    public void State_OfRandomBytes_IsReadOrRefused(Type type) => Run(nameof(IsReadOrRefused), type);

    [Theory]
    [MemberData(nameof(Types))]
    public void Schema_OfEveryStruct_IsTheGoldenOne(Type type) => Run(nameof(HasTheGoldenSchema), type);

    [Theory]
    [MemberData(nameof(Types))]
    public void Bytes_OfEveryStruct_AreTheGoldenOnes(Type type) => Run(nameof(HasTheGoldenBytes), type);

    private static void NamesEveryField<T>() where T : struct, IDescribed<T>
        => Unfilled.Fields(DescribedType.Empty<T>(), DescribedType.Filled<T>()).Except(s_notOnTheWire.GetValueOrDefault(typeof(T), [])).Should().BeEmpty();

    private static void IsTheSameAfterReading<T>() where T : struct, IDescribed<T>
    {
        T state = DescribedType.Filled<T>();
        StateBuffer buffer = DescribedType.Bytes(ref state);
        byte[] written = buffer.Written.ToArray();
        T loaded = DescribedType.Empty<T>();
        StateInput input = new(written, buffer.Descriptors);

        StateReader.Read(ref input, "test", int.MaxValue, ref loaded);

        (input.Left, input.DescriptorsLeft).Should().Be((0, 0));
        DescribedType.Bytes(ref loaded).Written.ToArray().Should().Equal(written);
    }

    private static void IsRefusedWhenCut<T>() where T : struct, IDescribed<T>
    {
        T state = DescribedType.Filled<T>();
        byte[] written = DescribedType.Bytes(ref state).Written.ToArray();
        for (int length = 0; length < written.Length; length++)
        {
            // Without its subsections a state is a state; where one begins is for the section's footer to say.
            string? reason = Refusal<T>(written.AsSpan(0, length), out bool complete);
            (reason is not null || !complete || HasSubsection<T>()).Should().BeTrue($"{length} of {written.Length} bytes must not be enough");
        }
    }

    private static void IsReadOrRefused<T>() where T : struct, IDescribed<T>
    {
        Random random = new(1);
        byte[] bytes = new byte[1 << 16];
        for (int i = 0; i < 200; i++)
        {
            random.NextBytes(bytes);
            _ = Refusal<T>(bytes, out _);
        }
    }

    private static void HasTheGoldenSchema<T>() where T : struct, IDescribed<T>
        => GoldenFile.Check($"{T.StateName}.schema.json", Encoding.UTF8.GetBytes(Schema<T>()));

    private static void HasTheGoldenBytes<T>() where T : struct, IDescribed<T>
    {
        T state = DescribedType.Filled<T>();
        GoldenFile.Check($"{T.StateName}.bin", DescribedType.Bytes(ref state).Written);
    }

    private static bool HasSubsection<T>() where T : struct, IDescribed<T> => Schema<T>().Contains("\"subsections\"", StringComparison.Ordinal);

    private static string Schema<T>() where T : struct, IDescribed<T>
    {
        using MemoryStream text = new();
        using (Utf8JsonWriter json = new(text, new JsonWriterOptions { Indented = true }))
        {
            T state = DescribedType.Filled<T>();
            json.WriteStartObject();
            StateSchema.Write(json, int.MaxValue, ref state, every: true);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(text.ToArray()) + "\n";
    }

    private static string? Refusal<T>(ReadOnlySpan<byte> bytes, out bool complete) where T : struct, IDescribed<T>
    {
        StateInput input = new(bytes);
        T loaded = DescribedType.Empty<T>();
        try
        {
            StateReader.Read(ref input, "test", int.MaxValue, ref loaded);
            complete = input.Left == 0;
            return null;
        }
        catch (StateException e)
        {
            complete = false;
            return e.Message;
        }
    }

    private static void Run(string check, Type type)
    {
        try
        {
            typeof(ConformanceTests).GetMethod(check, BindingFlags.Static | BindingFlags.NonPublic)!.MakeGenericMethod(type).Invoke(null, null);
        }
        catch (TargetInvocationException e)
        {
            throw new InvalidOperationException($"{type.Name}: {e.InnerException!.Message}", e.InnerException);
        }
    }
}
