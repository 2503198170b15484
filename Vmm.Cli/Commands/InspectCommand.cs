using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Vmm.Cli.Inspect;
using Vmm.Core.State;
using Vmm.Migration.Inspect;
using Vmm.Migration.Stream;

namespace Vmm.Cli.Commands;

/// <summary><c>vmm inspect</c>: what is in a file that a migration wrote, and in what two such files differ.</summary>
internal sealed class InspectCommand : Command, IExamples
{
    private static readonly JsonWriterOptions s_indented = new() { Indented = true };

    private readonly Argument<string[]> _files = new("file")
    {
        Description = "A file that a migration wrote, of this program or of QEMU; with two, their differences.",
        Arity = new ArgumentArity(0, 2),
        DefaultValueFactory = _ => [],
    };

    private readonly Option<bool> _json = new("--json") { Description = "As JSON; of one file in the form of QEMU's analyze-migration.py." };

    private readonly Option<bool> _schema = new("--schema") { Description = "What this program writes: every section with its versions and fields, as JSON." };

    public InspectCommand() : base("inspect", "Shows the state of a machine that a migration wrote into a file. Exit code 0: shown, or no difference; 1: two files differ.")
    {
        Add(_files);
        Add(_json);
        Add(_schema);
        Validators.Add(Check);
        SetAction(Inspect);
    }

    public string Examples => """
        vmm inspect machine.state
        vmm inspect --json machine.state | jq '."cpu (7)".regs.rip'
        vmm inspect before.state after.state || echo "they differ"
        vmm inspect --schema > fields.json
        """;

    private void Check(CommandResult result)
    {
        string[] files = result.GetValue(_files) ?? [];
        bool schema = result.GetValue(_schema);
        if (schema && files.Length > 0)
        {
            result.AddError("--schema is of this program: it takes no file.");
        }
        else if (!schema && files.Length == 0)
        {
            result.AddError("The file is missing: name one to see what is in it, two to compare them, or give --schema.");
        }
    }

    private int Inspect(ParseResult parsed)
    {
        TextWriter output = parsed.InvocationConfiguration.Output;
        bool json = parsed.GetValue(_json);
        if (parsed.GetValue(_schema))
        {
            output.WriteLine(Encoding.UTF8.GetString(StreamDescription.WriteSchema(StateCatalogue.Kinds)));
            return ExitCode.Success;
        }

        string[] files = parsed.GetRequiredValue(_files);
        JsonObject[] states = [.. files.Select(Read)];
        bool terminal = !Console.IsOutputRedirected;
        if (states is [var left, var right])
        {
            List<StateDifference> differences = [.. StateDifference.Between(left, right)];
            DifferenceView.Print(output, files, differences, json, terminal);
            return differences.Count == 0 ? ExitCode.Success : ExitCode.CheckFailed;
        }

        if (json)
        {
            output.WriteLine(Text(states[0]));
        }
        else if (terminal)
        {
            StateTree.Print(files[0], states[0]);
        }
        else
        {
            StateText.Print(output, states[0]);
        }

        return ExitCode.Success;
    }

    /// <summary>JSON without a serializer, which would look at types at run time.</summary>
    internal static string Text(JsonNode node)
    {
        using MemoryStream text = new();
        using (Utf8JsonWriter writer = new(text, s_indented))
        {
            node.WriteTo(writer);
        }

        return Encoding.UTF8.GetString(text.ToArray());
    }

    private static JsonObject Read(string path)
    {
        if (Directory.Exists(path))
        {
            throw new UserErrorException($"{path} is a folder: name a file.");
        }

        try
        {
            using FileStream file = File.OpenRead(path);
            return file.CanSeek
                ? StreamInspector.Read(file)
                : throw new UserErrorException($"{path} is a pipe or a device: write the stream into a file first, since its description stands at its end.");
        }
        catch (StateException e)
        {
            throw new UserErrorException($"{path} can't be shown: {e.Message}.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new UserErrorException($"{path} can't be read: {ErrorText.Describe(e)}");
        }
    }
}
