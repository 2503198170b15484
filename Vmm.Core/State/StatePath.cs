using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace Vmm.Core.State;

/// <summary>Where in a description a visitor is, kept without an allocation; it becomes text when there is an error.</summary>
internal struct StatePath
{
    private const int MaxDepth = 8;

    private Names _names;
    private Indices _indices;
    private int _depth;

    public StatePath(string section)
    {
        _names[0] = section;
        _depth = 1;
    }

    public void Push(string name, int index = -1)
    {
        if (_depth == MaxDepth)
        {
            throw new InvalidOperationException($"Structs are nested more than {MaxDepth - 1} deep at {this}.");
        }

        _names[_depth] = name;
        _indices[_depth++] = index;
    }

    public void Pop() => _depth--;

    public readonly StateException Error(string field, string reason, int index = -1)
    {
        var path = new StringBuilder(ToString());
        if (field.Length > 0)
        {
            Append(path, field, index);
        }

        return new StateException(path.ToString(), reason);
    }

    public override readonly string ToString()
    {
        var path = new StringBuilder(_names[0]);
        for (int i = 1; i < _depth; i++)
        {
            Append(path, _names[i], _indices[i]);
        }

        return path.ToString();
    }

    private static void Append(StringBuilder path, string name, int index)
    {
        path.Append(path.ToString().Contains(": ", StringComparison.Ordinal) ? "." : ": ").Append(name);
        if (index >= 0)
        {
            path.Append(CultureInfo.InvariantCulture, $"[{index}]");
        }
    }

    [InlineArray(MaxDepth)]
    private struct Names
    {
        private string _first;
    }

    [InlineArray(MaxDepth)]
    private struct Indices
    {
        private int _first;
    }
}
