using System.Text.Json;
using System.Text.Json.Nodes;

namespace Vmm.Cli.Shell;

/// <summary>A QMP command as people write it: <c>set_link name=net0 up=false</c>.</summary>
internal static class CommandText
{
    /// <summary>Splits at blanks; quotes keep a value together and stay, as JSON has them.</summary>
    public static IReadOnlyList<string> Split(string line)
    {
        List<string> words = [];
        int depth = 0;
        bool isQuoted = false;
        int start = -1;
        for (int i = 0; i <= line.Length; i++)
        {
            bool ends = i == line.Length || (char.IsWhiteSpace(line[i]) && !isQuoted && depth == 0);
            if (ends && start >= 0)
            {
                words.Add(line[start..i]);
                start = -1;
            }

            if (ends)
            {
                continue;
            }

            start = start < 0 ? i : start;
            isQuoted ^= line[i] == '"' && (i == 0 || line[i - 1] != '\\');
            depth += isQuoted ? 0 : line[i] is '[' or '{' ? 1 : line[i] is ']' or '}' ? -1 : 0;
        }

        return words;
    }

    /// <summary>KEY=VALUE each: a value that is JSON is taken for that, and anything else for text.</summary>
    /// <exception cref="UserErrorException">One is no such pair, or there twice.</exception>
    public static JsonObject? ParseArguments(IEnumerable<string> words)
    {
        JsonObject? arguments = null;
        foreach (string word in words)
        {
            int at = word.IndexOf('=', StringComparison.Ordinal);
            arguments ??= [];
            if (at <= 0 || !arguments.TryAdd(word[..at], ParseValue(word[(at + 1)..])))
            {
                throw new UserErrorException($"'{word}' is no argument of its own: write KEY=VALUE, each key once.");
            }
        }

        return arguments;
    }

    private static JsonNode? ParseValue(string text)
    {
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return JsonValue.Create(text);
        }
    }
}
