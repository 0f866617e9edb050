"""What this machine can do, measured beside each round: figures of others are read against it."""
import os
import socket
import subprocess
import threading
import time

_SYNCS = 300
_PINGS = 2000
_BLOCK = b"x" * 4096


def in_memory(folder):
    kind = subprocess.run(["stat", "-f", "-c", "%T", folder], capture_output=True, text=True, check=True).stdout
    return kind.strip() in ("tmpfs", "ramfs")


def _quantile(values, part):
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]


def fdatasync_us(folder):
    """p50 and p99 of appending 4 KiB and syncing it, in microseconds."""
    path = os.path.join(folder, "fdatasync")
    took = []
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        for _ in range(_SYNCS):
            began = time.perf_counter()
            os.write(file, _BLOCK)
            os.fdatasync(file)
            took.append((time.perf_counter() - began) * 1e6)
    finally:
        os.close(file)
        os.unlink(path)
    return _quantile(took, 0.5), _quantile(took, 0.99)


def _echo(server):
    peer, _ = server.accept()
    with peer:
        while data := peer.recv(64):
            peer.sendall(data)


def loopback_us():
    """p50 of 64 bytes there and back over TCP, in microseconds."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_echo, args=(server,), daemon=True)
        thread.start()
        took = []
        with socket.create_connection(server.getsockname()) as client:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for _ in range(_PINGS):
                began = time.perf_counter()
                client.sendall(b"x" * 64)
                client.recv(64)
                took.append((time.perf_counter() - began) * 1e6)
        thread.join(5)
    return _quantile(took, 0.5)


def _processor_time():
    """Ticks that a host took for others, and all ticks, since the machine started."""
    with open("/proc/stat", encoding="ascii") as f:
        ticks = [int(x) for x in f.readline().split()[1:9]]
    return ticks[7], sum(ticks)


class Stolen:
    """The share of the processors that the host gave to others, from its making to `share()`."""

    def __init__(self):
        self._began = _processor_time()

    def share(self):
        stolen, ticks = (now - then for now, then in zip(_processor_time(), self._began))
        return round(stolen / ticks, 4) if ticks > 0 else 0.0


def limits(disk):
    p50, p99 = fdatasync_us(disk)
    return {"fdatasync_p50_us": round(p50, 1), "fdatasync_p99_us": round(p99, 1),
            "loopback_p50_us": round(loopback_us(), 1)}
