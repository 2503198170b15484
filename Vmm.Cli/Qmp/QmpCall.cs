using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Vmm.Cli.Qmp;

/// <summary>A command that has begun and will be answered once, by any thread. Nothing happens when its client has gone meanwhile.</summary>
internal sealed class QmpCall(QmpServer server, QmpClient client, string command)
{
    private int _isAnswered;

    public string Command { get; } = command;

    internal QmpClient Client { get; } = client;

    /// <summary>Answers with {}.</summary>
    public void Complete() => Complete(QmpCommands.Nothing);

    public void Complete<T>(T result, JsonTypeInfo<T> type) => Complete(JsonSerializer.SerializeToUtf8Bytes(result, type));

    /// <param name="result">JSON.</param>
    public void Complete(byte[] result)
    {
        if (Interlocked.Exchange(ref _isAnswered, 1) == 0)
        {
            server.Answer(this, id => QmpMessage.Return(result, id));
        }
    }

    /// <summary>Answers with what an exception comes to.</summary>
    public void Fail(Exception exception)
    {
        if (Interlocked.Exchange(ref _isAnswered, 1) == 0)
        {
            string errorClass = (exception as QmpException)?.ErrorClass ?? QmpErrorClass.Generic;
            server.Answer(this, id => QmpMessage.Error(errorClass, ErrorText.Describe(exception), id));
        }
    }
}
