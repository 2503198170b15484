using System.Diagnostics;
using System.IO.Pipes;
using System.Text;
using Vmm.Core.Linux;

namespace Vmm.Migration.Channels;

/// <summary>A command that /bin/sh runs, and the pipe to its standard input or from its standard output. Whether it succeeded, its exit status says.</summary>
/// <remarks>Everything else that it writes is kept, for the message when it fails: the console is the guest's.</remarks>
internal sealed class ChannelCommand : IDisposable
{
    private const int MaxComplaint = 2000;

    private readonly string _command;
    private readonly Process _process;
    private readonly StringBuilder _complaint = new();

    private ChannelCommand(string command, Process process, ByteDescriptor pipe)
    {
        _command = command;
        _process = process;
        Pipe = pipe;
    }

    public ByteDescriptor Pipe { get; }

    /// <param name="writes">True when the command's output is read, false when it gets input.</param>
    /// <exception cref="ChannelException">There is no shell, or no room for a process.</exception>
    public static ChannelCommand Start(string command, bool writes)
    {
        ProcessStartInfo start = new("/bin/sh", ["-c", command]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (Exception e) when (e is System.ComponentModel.Win32Exception or IOException)
        {
            throw new ChannelException($"exec:{command} can't be started: {e.Message}", e);
        }

        System.IO.Stream stream = writes ? process.StandardOutput.BaseStream : process.StandardInput.BaseStream;
        ByteDescriptor pipe = Take(stream);
        if (writes)
        {
            process.StandardInput.Close(); // an input that ends at once, rather than the console
        }

        ChannelCommand started = new(command, process, pipe);
        started.Collect(writes);
        return started;
    }

    /// <summary>Ends its input and waits for it.</summary>
    /// <exception cref="ChannelException">It failed, or does not end.</exception>
    public void Complete(TimeSpan timeout)
    {
        Pipe.Dispose();
        if (!_process.WaitForExit(timeout))
        {
            throw new ChannelException($"exec:{_command} has not ended {timeout.TotalSeconds:0} s after it got everything.");
        }

        if (_process.ExitCode != 0)
        {
            _process.WaitForExit(); // for what it has written
            throw new ChannelException($"exec:{_command} ended with exit code {_process.ExitCode}{Complaint()}.");
        }
    }

    public void Dispose()
    {
        Pipe.Dispose();
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
    }

    private void Collect(bool writes)
    {
        void Add(object sender, DataReceivedEventArgs line)
        {
            lock (_complaint)
            {
                if (line.Data is { Length: > 0 } text && _complaint.Length < MaxComplaint)
                {
                    _complaint.Append(_complaint.Length == 0 ? "" : "; ").Append(text);
                }
            }
        }

        _process.ErrorDataReceived += Add;
        _process.BeginErrorReadLine();
        if (!writes)
        {
            _process.OutputDataReceived += Add;
            _process.BeginOutputReadLine();
        }
    }

    private string Complaint()
    {
        lock (_complaint)
        {
            return _complaint.Length == 0 ? "" : $": {_complaint}";
        }
    }

    /// <summary>A descriptor of our own for a pipe of the process's.</summary>
    private static ByteDescriptor Take(System.IO.Stream stream)
    {
        using FileDescriptor borrowed = new((int)((PipeStream)stream).SafePipeHandle.DangerousGetHandle(), ownsHandle: false);
        FileDescriptor own = borrowed.Duplicate();
        int fd = own.Number;
        own.SetHandleAsInvalid();
        stream.Dispose();
        return new ByteDescriptor(fd);
    }
}
