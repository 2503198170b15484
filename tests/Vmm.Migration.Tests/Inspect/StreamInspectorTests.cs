using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Vmm.Core.State;
using Vmm.Migration.Inspect;
using Vmm.Migration.Tests.Golden;
using Vmm.Migration.Tests.Stream;

namespace Vmm.Migration.Tests.Inspect;

/// <summary>Reading a stream with nothing but its own description.</summary>
public sealed class StreamInspectorTests
{
    private static readonly byte[] s_stream = RecordedStream.Described(RecordedStream.Sections());
    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true };

    [Fact]
    public void Read_OfAStream_ShowsEveryField()
        => GoldenFile.Check("machine.inspect.json", Encoding.UTF8.GetBytes(Read(s_stream).ToJsonString(s_indented) + "\n"));

    [Fact]
    public void Read_OfAStreamCutAnywhere_SaysThatTheDescriptionIsMissing()
    {
        for (int length = 0; length < s_stream.Length; length += 7)
        {
            byte[] cut = s_stream[..length];
            Invoking(() => Read(cut)).Should().Throw<StateException>().WithMessage("description: *");
        }
    }

    [Fact]
    public void Read_OfAStreamWithAnyByteChanged_ShowsOrRefuses()
    {
        byte[] changed = [.. s_stream];
        for (int at = 0; at < changed.Length; at += 3)
        {
            changed[at] ^= 0xff;
            try
            {
                _ = Read(changed);
            }
            catch (StateException)
            {
            }

            changed[at] ^= 0xff;
        }
    }

    /// <summary>Descriptions that are JSON and no description.</summary>
    [Theory]
    [InlineData("""[]""", "description: devices is not an array in []")]
    [InlineData("""{"devices":[{"name":"\ud800","instance_id":0}]}""", "description: name is not a text in *")]
    [InlineData("""{"devices":[{"\ud800":"x","name":"x"}]}""", "description: *")]
    [InlineData("""{"devices":[{"name":"x","instance_id":0,"fields":[],"subsections":{}}]}""", "description: subsections is not an array in *")]
    [InlineData("""{"devices":[{"name":"x","instance_id":0,"fields":[{"name":"a","type":"uint8","size":-1}]}]}""", "description: size is not a number *")]
    [InlineData("""{"devices":[{"name":"x","instance_id":0,"fields":[{"name":"a","type":"uint8","size":2000000000}]}]}""", "x: a: the file ends at byte *")]
    [InlineData("""{"devices":[{"name":"x","instance_id":0,"fields":[{"name":"a","type":"uint8","size":1,"array_len":2000000000}]}]}""", "x: a: array_len 2000000000 is more than *")]
    public void Read_OfADescriptionThatIsNone_IsRefused(string description, string message)
        => Invoking(() => Read(StreamOfOneSection(description))).Should().Throw<StateException>().WithMessage(message);

    [Fact]
    public void Read_OfArraysInArraysOfNothing_IsRefusedInTime()
    {
        // 50 to the power of 8 values that take no byte of the file.
        string field = """{"name":"a","type":"uint8","size":0}""";
        for (int i = 0; i < 8; i++)
        {
            field = """{"name":"a","type":"struct","size":0,"array_len":50,"struct":{"fields":[""" + field + "]}}";
        }

        byte[] stream = StreamOfOneSection("""{"devices":[{"name":"x","instance_id":0,"fields":[""" + field + "]}]}");

        Invoking(() => Read(stream)).Should().Throw<StateException>().WithMessage("*more values than the file has bytes*");
    }

    /// <summary>A section x[0] of 100 bytes and what stands for its description.</summary>
    private static byte[] StreamOfOneSection(string description)
    {
        StateBuffer buffer = new();
        buffer.Number(0x5145_564du);
        buffer.Number(3u);
        buffer.Byte(0x04);
        buffer.Number(0u);
        buffer.Name("x");
        buffer.Number(0u);
        buffer.Number(1u);
        buffer.Take(100).Clear();
        buffer.Byte(0);
        buffer.Byte(0x06);
        buffer.Number((uint)description.Length);
        buffer.Bytes(Encoding.UTF8.GetBytes(description));
        return buffer.Written.ToArray();
    }

    [Fact]
    public void Between_TwoStreams_NamesWhatDiffers()
    {
        JsonObject left = Read(s_stream);
        JsonObject right = Read(s_stream);
        right["serial (0)"]!["scr"] = "0x77";
        right.Remove("kvm (5)");
        right["new (6)"] = new JsonObject();

        StateDifference[] differences = [.. StateDifference.Between(left, right)];

        differences.Select(d => d.Path).Should().Equal("serial (0).scr", "kvm (5)", "new (6)");
        differences[0].Right.Should().Be("0x77");
        differences[1].Right.Should().BeNull();
        differences[2].Left.Should().BeNull();
    }

    [Fact]
    public void Read_OfAStreamOfQemu_ShowsItsDevices()
    {
        string file = Path.GetTempFileName();
        try
        {
            using Process? qemu = StartQemu(file);
            if (qemu is null)
            {
                Assert.Skip("qemu-system-x86_64 is not installed");
            }

            qemu.WaitForExit(TimeSpan.FromSeconds(60)).Should().BeTrue();
            using FileStream stream = File.OpenRead(file);
            JsonObject sections = StreamInspector.Read(stream);
            sections.Select(section => section.Key).Should().Contain(key => key.StartsWith("ram (", StringComparison.Ordinal))
                .And.Contain(key => key.StartsWith("cpu (", StringComparison.Ordinal));
            JsonNode cpu = sections.First(section => section.Key.StartsWith("cpu (", StringComparison.Ordinal)).Value!;
            cpu["env.eip"]!.GetValue<string>().Should().Be("0x000000000000fff0", "that is where a PC begins");
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static Process? StartQemu(string file)
    {
        ProcessStartInfo start = new("qemu-system-x86_64")
        {
            ArgumentList = { "-M", "pc,accel=tcg", "-m", "16", "-S", "-nodefaults", "-display", "none", "-monitor", "stdio" },
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        try
        {
            Process qemu = Process.Start(start)!;
            qemu.StandardInput.WriteLine($"migrate \"exec:cat > {file}\"");
            qemu.StandardInput.WriteLine("quit");
            return qemu;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }

    private static JsonObject Read(byte[] stream) => StreamInspector.Read(new MemoryStream(stream));

    private static Action Invoking(Action action) => action;
}
