namespace Vmm.Cli.Tests.Harness;

/// <summary><c>vmm run</c> of the demo guest with a QMP socket of the test's own.</summary>
internal sealed class QmpGuest : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public QmpGuest(params string[] options)
    {
        Socket = _folder["q"];
        Process = VmmProcess.Start(["run", "--kernel", "demo", "--console", "none", "--memory", "64M", "--qmp", Socket, .. options]);
    }

    public string Socket { get; }

    public VmmProcess Process { get; }

    public QmpPeer Connect() => QmpPeer.Negotiated(Socket);

    public void Dispose()
    {
        Process.Dispose();
        _folder.Dispose();
    }
}
