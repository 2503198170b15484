using Tmds.Linux;
using Vmm.Core.Linux;
using Vmm.Migration.Live;

namespace Vmm.Migration.Channels;

/// <summary>A channel's bytes. The channel stays open when this is disposed.</summary>
internal sealed class ChannelStream(ByteDescriptor bytes, bool answers, TimeSpan stall, CancellationToken cancellation) : System.IO.Stream
{
    /// <summary>What is written before it is looked whether the peer has something to say.</summary>
    private const int Portion = 1 << 20;

    private readonly ChannelWait _wait = new(bytes, stall, cancellation);

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        while (true)
        {
            int read = bytes.Read(buffer);
            if (read >= 0)
            {
                _wait.Restart();
                return read;
            }

            Check(read, "read");
            _wait.For(LibC.POLLIN, "has sent nothing");
        }
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (buffer.Length > 0)
        {
            if (answers && bytes.Wait(LibC.POLLIN, 0))
            {
                // A destination has nothing to say before it has all of it, but that it can't go on.
                throw new MigrationException(MigrationStep.State, "the peer does not want the rest");
            }

            int written = bytes.Write(buffer[..Math.Min(buffer.Length, Portion)]);
            if (written >= 0)
            {
                _wait.Restart();
                buffer = buffer[written..];
                continue;
            }

            Check(written, "write");
            _wait.For(LibC.POLLOUT, "has taken nothing");
        }
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private void Check(int result, string call)
    {
        if (cancellation.IsCancellationRequested)
        {
            throw new MigrationException(MigrationStep.State, "it was cancelled");
        }

        if (result != -LibC.EAGAIN && result != -LibC.EINTR)
        {
            throw new MigrationException(MigrationStep.State, result == -LibC.EPIPE || result == -LibC.ECONNRESET
                ? "the peer has closed the channel"
                : $"{call}: {LinuxException.Describe(-result)}");
        }
    }
}
