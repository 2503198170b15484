using System.Globalization;

namespace Vmm.Cli.Shell;

/// <summary>A terminal: a prompt, a line that can be edited, recalled and completed, and messages that appear above it.</summary>
internal sealed class TerminalLines : ILineSource
{
    private readonly Lock _lock = new();
    private readonly string _prompt;
    private readonly LineText _line;
    private bool _isReading;

    /// <param name="prompt">Stands before each line.</param>
    /// <param name="words">What the first word may be.</param>
    public TerminalLines(string prompt, IReadOnlyList<string> words)
    {
        _prompt = prompt;
        _line = new LineText(words);
        Console.TreatControlCAsInput = true;
    }

    public string? ReadLine()
    {
        lock (_lock)
        {
            _isReading = true;
            Draw();
        }

        while (true)
        {
            ConsoleKeyInfo key = Console.ReadKey(intercept: true);
            lock (_lock)
            {
                bool isControl = (key.Modifiers & ConsoleModifiers.Control) != 0;
                if (key.Key == ConsoleKey.Enter || (isControl && key.Key == ConsoleKey.C))
                {
                    Console.Out.WriteLine();
                    _isReading = false;
                    string text = _line.Take();
                    return isControl && key.Key == ConsoleKey.C ? "" : text;
                }

                if (isControl && key.Key == ConsoleKey.D && _line.Text.Length == 0)
                {
                    Console.Out.WriteLine();
                    _isReading = false;
                    return null;
                }

                Edit(key, isControl);
                Draw();
            }
        }
    }

    public void Show(string text)
    {
        lock (_lock)
        {
            Console.Out.WriteLine(_isReading ? $"\r\e[K{text}" : text);
            if (_isReading)
            {
                Draw();
            }
        }
    }

    public void ShowError(string text) => Show(text);

    public void Close() => Show("The machine closed the connection. Enter ends.");

    private void Edit(ConsoleKeyInfo key, bool isControl)
    {
        switch (key.Key)
        {
            case ConsoleKey.LeftArrow or ConsoleKey.RightArrow:
                _line.Move(key.Key == ConsoleKey.LeftArrow ? -1 : 1);
                break;
            case ConsoleKey.Home or ConsoleKey.End:
                _line.MoveToEnd(key.Key == ConsoleKey.End);
                break;
            case ConsoleKey.A or ConsoleKey.E when isControl:
                _line.MoveToEnd(key.Key == ConsoleKey.E);
                break;
            case ConsoleKey.UpArrow or ConsoleKey.DownArrow:
                _line.Recall(key.Key == ConsoleKey.UpArrow ? -1 : 1);
                break;
            case ConsoleKey.Backspace:
                _line.Remove(1);
                break;
            case ConsoleKey.Delete:
                _line.Remove(-1);
                break;
            case ConsoleKey.U or ConsoleKey.K when isControl:
                _line.Remove(key.Key == ConsoleKey.U ? _line.Cursor : _line.Cursor - _line.Text.Length);
                break;
            case ConsoleKey.W when isControl:
                _line.RemoveWord();
                break;
            case ConsoleKey.Tab:
                if (_line.Complete() is { Count: > 0 } found)
                {
                    Console.Out.WriteLine($"\r\e[K{string.Join("  ", found)}");
                }

                break;
            default:
                if (!char.IsControl(key.KeyChar))
                {
                    _line.Insert(key.KeyChar);
                }

                break;
        }
    }

    /// <summary>Shows the part of the line around the cursor that one row has room for.</summary>
    private void Draw()
    {
        int width = Math.Max(Console.WindowWidth - _prompt.Length - 1, 8);
        int from = Math.Max(0, _line.Cursor - width);
        string shown = _line.Text[from..Math.Min(_line.Text.Length, from + width)];
        int back = shown.Length - (_line.Cursor - from);
        Console.Out.Write(string.Create(CultureInfo.InvariantCulture, $"\r\e[K{_prompt}{shown}{(back > 0 ? $"\e[{back}D" : "")}"));
    }
}
