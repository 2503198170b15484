using System.Diagnostics;
using System.Globalization;
using Tmds.Linux;

namespace Vmm.Perf.Compare;

/// <summary>A running contender.</summary>
internal sealed class GuestProcess : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly Contender _contender;
    private readonly Process _process;
    private readonly Thread _reader;
    private readonly ManualResetEventSlim _firstOutput = new();
    private long _firstOutputAt;

    private GuestProcess(Contender contender)
    {
        _contender = contender;
        StartedAt = Stopwatch.GetTimestamp();
        _process = Process.Start(contender.StartInfo())!;
        _reader = new Thread(Read) { IsBackground = true };
        _reader.Start();
    }

    /// <summary>Just before the process was made.</summary>
    public long StartedAt { get; }

    public bool HasExited => _process.HasExited;

    public static GuestProcess Start(Contender contender) => new(contender);

    /// <summary>From the making of the process to the first byte on the guest's serial port.</summary>
    public TimeSpan WaitForFirstOutput()
    {
        if (!_firstOutput.Wait(Patience) || _firstOutputAt == 0)
        {
            throw new InvalidOperationException($"{_contender.Name} has printed nothing: {_contender.CommandText}");
        }

        return Stopwatch.GetElapsedTime(StartedAt, _firstOutputAt);
    }

    /// <summary>KiB in memory of all mappings but guest RAM.</summary>
    public long ResidentWithoutGuestMemory()
    {
        long total = 0;
        long guest = -1;
        bool isGuest = false;
        foreach (string line in File.ReadLines($"/proc/{_process.Id}/smaps"))
        {
            if (line.StartsWith("Rss:", StringComparison.Ordinal))
            {
                long size = long.Parse(line.AsSpan(4).Trim().TrimEnd("kB").Trim(), CultureInfo.InvariantCulture);
                total += isGuest ? 0 : size;
                guest += isGuest ? size : 0;
            }
            else if (char.IsAsciiHexDigitLower(line[0]))
            {
                isGuest = line.Contains(_contender.GuestMemory, StringComparison.Ordinal);
                guest = isGuest && guest < 0 ? 0 : guest;
            }
        }

        return guest > 0 ? total : throw new InvalidOperationException($"{_contender.Name} has no mapping called {_contender.GuestMemory} with pages in it.");
    }

    /// <summary>SIGTERM, and waits until it is gone, so that the TAP is free again.</summary>
    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _ = LibC.kill(_process.Id, LibC.SIGTERM);
        }

        if (!_process.WaitForExit(Patience))
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _reader.Join();
        _process.Dispose();
        _firstOutput.Dispose();
    }

    private void Read()
    {
        Stream output = _process.StandardOutput.BaseStream;
        byte[] buffer = new byte[4096];
        while (output.Read(buffer) > 0)
        {
            if (_firstOutputAt == 0)
            {
                _firstOutputAt = Stopwatch.GetTimestamp();
                _firstOutput.Set();
            }
        }

        _firstOutput.Set();
    }
}
