using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Vmm.Cli.Qmp;

/// <summary>The commands that there are. Changed only while the server does not serve.</summary>
internal sealed class QmpCommands
{
    /// <summary>The reply of a command that has nothing to say.</summary>
    public static readonly byte[] Nothing = [.. "{}"u8];

    private readonly SortedDictionary<string, Action<QmpArguments, QmpCall>> _commands = new(StringComparer.Ordinal);

    public IEnumerable<string> Names => _commands.Keys;

    /// <summary>There are none any more.</summary>
    public void Clear() => _commands.Clear();

    /// <summary>A command that answers at once with {}. It runs on the server's thread: it must be quick.</summary>
    public void Add(string name, Action<QmpArguments> run) => Add(name, arguments =>
    {
        run(arguments);
        return Nothing;
    });

    /// <summary>A command that answers at once with <typeparamref name="T"/>.</summary>
    public void Add<T>(string name, Func<QmpArguments, T> run, JsonTypeInfo<T> type)
        => Add(name, arguments => JsonSerializer.SerializeToUtf8Bytes(run(arguments), type));

    /// <summary>The same for a command that takes no arguments.</summary>
    public void AddQuery<T>(string name, Func<T> query, JsonTypeInfo<T> type) => Add(
        name,
        arguments =>
        {
            arguments.End();
            return query();
        },
        type);

    /// <summary>A command that answers at once with the JSON that it returns.</summary>
    public void Add(string name, Func<QmpArguments, byte[]> run) => AddLong(name, (arguments, call) => call.Complete(run(arguments)));

    /// <summary>
    /// A command that takes its time: <paramref name="begin"/> looks at the arguments and starts it elsewhere, and the call is completed
    /// later, by any thread. An exception of <paramref name="begin"/> is its answer.
    /// </summary>
    public void AddLong(string name, Action<QmpArguments, QmpCall> begin) => _commands.Add(name, begin);

    /// <summary>Carries a command out, or begins to.</summary>
    /// <exception cref="QmpException">There is no such command.</exception>
    public void Run(QmpRequest request, QmpCall call)
    {
        if (!_commands.TryGetValue(request.Command, out Action<QmpArguments, QmpCall>? begin))
        {
            throw new QmpException(QmpErrorClass.CommandNotFound, $"The command {request.Command} has not been found");
        }

        begin(new QmpArguments(request.Arguments), call);
    }
}
