using System.Text;

namespace Vmm.Cli.Shell;

/// <summary>A line that is being written, with its cursor, the lines before it, and what it can be completed to.</summary>
/// <param name="words">What the first word may be.</param>
internal sealed class LineText(IReadOnlyList<string> words)
{
    private readonly StringBuilder _text = new();
    private readonly List<string> _history = [];
    private string _draft = "";
    private int _line; // in the history; its count is the draft

    public string Text => _text.ToString();

    public int Cursor { get; private set; }

    public void Insert(char c) => _text.Insert(Cursor++, c);

    public void Move(int distance) => Cursor = Math.Clamp(Cursor + distance, 0, _text.Length);

    public void MoveToEnd(bool forward) => Cursor = forward ? _text.Length : 0;

    /// <summary>Removes as many characters before the cursor, or with a negative number after it.</summary>
    public void Remove(int before)
    {
        int from = Math.Clamp(Cursor - Math.Max(before, 0), 0, _text.Length);
        int to = Math.Clamp(Cursor - Math.Min(before, 0), 0, _text.Length);
        _text.Remove(from, to - from);
        Cursor = from;
    }

    public void RemoveWord()
    {
        string before = Text[..Cursor];
        int start = before.TrimEnd().LastIndexOf(' ') + 1;
        Remove(Cursor - start);
    }

    /// <summary>An older line with -1, a younger one with 1.</summary>
    public void Recall(int step)
    {
        int line = Math.Clamp(_line + step, 0, _history.Count);
        if (line == _line)
        {
            return;
        }

        _draft = _line == _history.Count ? Text : _draft;
        _line = line;
        _text.Clear().Append(line == _history.Count ? _draft : _history[line]);
        Cursor = _text.Length;
    }

    /// <summary>Completes the first word as far as it is clear. All that it may become, when that is several.</summary>
    public IReadOnlyList<string> Complete()
    {
        string start = Text[..Cursor];
        if (start.Contains(' ', StringComparison.Ordinal))
        {
            return [];
        }

        string[] found = [.. words.Where(word => word.StartsWith(start, StringComparison.Ordinal))];
        if (found.Length == 0)
        {
            return [];
        }

        string common = found.Aggregate((a, b) => a[..a.Zip(b).TakeWhile(pair => pair.First == pair.Second).Count()]);
        string more = common[start.Length..] + (found.Length == 1 ? " " : "");
        _text.Insert(Cursor, more);
        Cursor += more.Length;
        return found.Length > 1 && more.Length == 0 ? found : [];
    }

    /// <summary>The line as it is, which becomes history; the next one is empty.</summary>
    public string Take()
    {
        string text = Text;
        if (text.Length > 0 && (_history.Count == 0 || _history[^1] != text))
        {
            _history.Add(text);
        }

        _text.Clear();
        Cursor = 0;
        _line = _history.Count;
        return text;
    }
}
