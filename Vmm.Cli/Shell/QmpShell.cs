using System.Text.Json;
using Vmm.Cli.Qmp;
using Vmm.Core.Linux;

namespace Vmm.Cli.Shell;

/// <summary>A conversation with a machine: commands line by line, replies and events as they come.</summary>
internal sealed class QmpShell : IDisposable
{
    private readonly QmpConnection _connection;
    private readonly ILineSource _input;
    private readonly SemaphoreSlim _replied = new(0);
    private volatile bool _isOver;
    private bool _wasRefused;

    public QmpShell(QmpConnection connection, ILineSource input)
    {
        _connection = connection;
        _input = input;
    }

    /// <summary>Until the input or the machine ends. The exit code.</summary>
    public int Run()
    {
        Thread reader = new(ReadMessages) { IsBackground = true, Name = "qmp-reader" };
        reader.StartOrExplain();
        while (!_isOver && _input.ReadLine() is { } line)
        {
            if (line.Trim() is not { Length: > 0 } text)
            {
                continue;
            }

            try
            {
                if (text is "help" or "?")
                {
                    _connection.Send("query-commands", null);
                }
                else if (text.StartsWith('{'))
                {
                    _connection.SendLine(JsonText.Check(text));
                }
                else
                {
                    IReadOnlyList<string> words = CommandText.Split(text);
                    _connection.Send(words[0], CommandText.ParseArguments(words.Skip(1)));
                }

                _replied.Wait();
            }
            catch (UserErrorException e)
            {
                Refuse(e.Message);
            }
            catch (System.Net.Sockets.SocketException)
            {
                break;
            }
        }

        _isOver = true;
        _connection.HangUp();
        reader.Join();
        return _wasRefused ? ExitCode.CheckFailed : ExitCode.Success;
    }

    public void Dispose() => _replied.Dispose();

    private void ReadMessages()
    {
        while (_connection.Read() is { } message)
        {
            if (message.TryGetProperty("event", out JsonElement name))
            {
                string data = message.TryGetProperty("data", out JsonElement found) ? " " + found.GetRawText() : "";
                _input.Show($"{name.GetString()}{data}");
                continue;
            }

            try
            {
                _input.Show(JsonText.Indent(QmpConnection.GetReturn(message)));
            }
            catch (QmpException e)
            {
                Refuse($"{e.ErrorClass}: {e.Message}");
            }

            _replied.Release();
        }

        if (!_isOver)
        {
            _isOver = true;
            _input.Close();
        }

        _replied.Release();
    }

    private void Refuse(string reason)
    {
        _wasRefused = true;
        _input.ShowError(reason);
    }
}
