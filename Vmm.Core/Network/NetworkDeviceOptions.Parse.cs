using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Vmm.Core.Linux;

namespace Vmm.Core.Network;

public sealed partial record NetworkDeviceOptions
{
    private static readonly (string Word, NetworkBackendKind Kind, string[] Keys)[] _kinds =
    [
        ("tap", NetworkBackendKind.Tap, ["id", "ifname", "fd", "fds", "queues", "mac", "mtu", "sndbuf", "vhost", "vhostfd", "vhostfds", "iothread"]),
        ("none", NetworkBackendKind.None, ["id", "queues", "mac", "mtu", "iothread"]),
        ("unix-dgram", NetworkBackendKind.UnixDatagram, ["id", "path", "peer", "fd", "mac", "mtu", "iothread"]),
        ("unix-stream", NetworkBackendKind.UnixStream, ["id", "path", "fd", "mac", "mtu", "iothread"]),
    ];

    /// <exception cref="FormatException">The message is a sentence that names the field, its value and what it may be.</exception>
    public static NetworkDeviceOptions Parse(string text)
        => TryParse(text, out NetworkDeviceOptions? options, out string? error) ? options : throw new FormatException(error);

    /// <summary>The same without an exception.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out NetworkDeviceOptions? options, [NotNullWhen(false)] out string? error)
    {
        options = null;
        string[] parts = text.Split(',');
        (string word, NetworkBackendKind kind, string[] keys) = Array.Find(_kinds, k => k.Word == parts[0]);
        if (word is null)
        {
            error = $"--net {text}: '{parts[0]}' is no back end. Use tap, none, unix-dgram or unix-stream first, as in tap,ifname=vmtap0.";
            return false;
        }

        NetworkDeviceOptions result = new() { Kind = kind };
        HashSet<string> seen = [];
        error = null;
        foreach (string part in parts.AsSpan(1))
        {
            int equals = part.IndexOf('=', StringComparison.Ordinal);
            string key = equals < 0 ? part : part[..equals];
            string value = equals < 0 ? "" : part[(equals + 1)..];
            error = !keys.Contains(key) ? $"'{key}' is no option of {word}. Known are: {string.Join(", ", keys)}."
                : !seen.Add(key) ? $"'{key}' is given twice."
                : value.Length == 0 ? $"'{key}' lacks a value: write {key}=..."
                : result.Set(key, value, out result);
            if (error is not null)
            {
                break;
            }
        }

        error ??= result.CheckTogether(seen, out result);
        if (error is not null)
        {
            error = $"--net {text}: {error}";
            return false;
        }

        options = result;
        return true;
    }

    private string? Set(string key, string value, out NetworkDeviceOptions next)
    {
        next = this;
        switch (key)
        {
            case "id":
                next = this with { Id = value };
                return value.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.')
                    ? null : $"id={value} may hold letters, digits, '-', '_' and '.' only.";
            case "ifname":
                next = this with { IfName = value };
                return value.Length <= 15 ? null : $"ifname={value} has {value.Length} characters; the name of an interface has 15 at most.";
            case "path":
                next = this with { Path = value };
                return CheckPath(key, value);
            case "peer":
                next = this with { Peer = value };
                return CheckPath(key, value);
            case "queues":
                int? queues = Number(value, 1, MaxQueues);
                next = this with { Queues = queues ?? 1 };
                return queues is null ? $"queues={value} is not a number from 1 to {MaxQueues}." : null;
            case "mtu":
                int most = Kind == NetworkBackendKind.Tap ? MaxTapMtu : MaxMtu;
                int? mtu = Number(value, MinMtu, most);
                next = this with { Mtu = mtu };
                return mtu is null ? $"mtu={value} is not a number from {MinMtu} to {most}." : null;
            case "sndbuf":
                int? bytes = Number(value, 1, int.MaxValue);
                next = this with { SendBuffer = bytes };
                return bytes is null ? $"sndbuf={value} is not a number of bytes from 1 to {int.MaxValue}." : null;
            case "mac":
                return SetMac(value, out next);
            case "vhost":
                next = this with { Vhost = value == "on" };
                return value is "on" or "off" ? null : $"vhost={value} is neither on nor off.";
            case "iothread":
                next = this with { Threads = value == "shared" ? NetworkThreads.Shared : NetworkThreads.PerQueue };
                return value is "shared" or "per-queue" ? null : $"iothread={value} is neither per-queue nor shared.";
            default:
                return SetFds(key, value, out next);
        }
    }

    private string? SetMac(string value, out NetworkDeviceOptions next)
    {
        bool valid = MacAddress.TryParse(value, out MacAddress mac);
        next = this with { Mac = mac };
        return !valid ? $"mac={value} is no Ethernet address: write six hexadecimal bytes, as in 52:54:00:12:34:56."
            : mac.IsMulticast ? $"mac={value} is a multicast address (the first byte is odd); a device needs a unicast one, as 52:54:00:12:34:56."
            : mac.Value == 0 ? $"mac={value} is no address for a device; use one as 52:54:00:12:34:56."
            : null;
    }

    private string? SetFds(string key, string value, out NetworkDeviceOptions next)
    {
        next = this;
        List<int> fds = [];
        bool isList = key is "fds" or "vhostfds";
        foreach (string part in isList ? value.Split(':') : [value])
        {
            if (Number(part, 0, int.MaxValue) is not { } fd)
            {
                string hint = isList ? $"; separate them by ':', as in {key}=7:8" : "";
                return $"{key}={value}: '{part}' is no descriptor's number{hint}.";
            }

            if (fds.Contains(fd))
            {
                return $"{key}={value} names descriptor {fd} twice; each queue needs its own.";
            }

            fds.Add(fd);
        }

        next = key is "vhostfd" or "vhostfds" ? this with { VhostFds = fds } : this with { Fds = fds };
        return fds.Count > MaxQueues ? $"{key}={value} has {fds.Count} descriptors; {MaxQueues} queues is the most." : null;
    }

    private string? CheckTogether(HashSet<string> seen, out NetworkDeviceOptions next)
    {
        next = this;
        if (Fds.Count > 0)
        {
            string given = seen.Contains("fd") ? "fd" : "fds";
            string? other = Array.Find(["ifname", "path", "peer", "fds"], key => key != given && seen.Contains(key));
            if (other is not null)
            {
                return $"'{other}' does not go with {given}=: a descriptor is open already.";
            }

            if (SendBuffer is not null)
            {
                return $"'sndbuf' does not go with {given}=: whoever opened the descriptor sets it (TUNSETSNDBUF).";
            }

            if (seen.Contains("queues") && Queues != Fds.Count)
            {
                return $"queues={Queues} does not fit {Fds.Count} descriptor{(Fds.Count == 1 ? "" : "s")}: "
                    + "leave 'queues' out, or give as many as fds=7:8:...";
            }

            next = this with { Queues = Fds.Count };
            return next.CheckVhost(seen, out next);
        }

        bool isSocket = Kind is NetworkBackendKind.UnixDatagram or NetworkBackendKind.UnixStream;
        return isSocket && Path is null ? "'path' (or 'fd') is missing: where is the socket?"
            : Kind == NetworkBackendKind.UnixDatagram && Peer is null ? "'peer' is missing: the path of the other side's socket."
            : CheckVhost(seen, out next);
    }

    private string? CheckVhost(HashSet<string> seen, out NetworkDeviceOptions next)
    {
        next = this;
        if (VhostFds.Count == 0)
        {
            return null;
        }

        string given = seen.Contains("vhostfd") ? "vhostfd" : "vhostfds";
        next = this with { Vhost = true };
        return seen.Contains("vhostfd") && seen.Contains("vhostfds") ? "'vhostfds' does not go with vhostfd=: give one of them."
            : seen.Contains("vhost") && !Vhost ? $"'{given}' does not go with vhost=off."
            : VhostFds.Count != Queues ? $"{given}= has {Count(VhostFds.Count, "descriptor")} for {Count(Queues, "queue pair")}; each needs its own."
            : VhostFds.FirstOrDefault(fd => Fds.Contains(fd), -1) is var twice and >= 0 ? $"{given}= names descriptor {twice}, which is the TAP's."
            : null;

        static string Count(int count, string what) => $"{count} {what}{(count == 1 ? "" : "s")}";
    }

    private static string? CheckPath(string key, string value)
        => System.Text.Encoding.UTF8.GetByteCount(value) <= UnixSocketFile.MaxPath ? null : $"{key}={value} is too long: a socket's path has {UnixSocketFile.MaxPath} bytes at most.";

    private static int? Number(string text, int least, int greatest)
        => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value >= least && value <= greatest ? value : null;
}
