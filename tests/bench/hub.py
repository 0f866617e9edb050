"""A remora-hub process with its journal on a real disk, and the load processes of one run against it."""
import hashlib
import json
import os
import secrets
import shutil
import stat
import subprocess
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
READERS = 100  # kReaderIdentities of load/load_options.h
START_TIMEOUT_S = 30
# What a run may take beyond its own length: everybody comes, and what is on its way arrives.
SLACK_S = 90


class Failed(Exception):
    """A run that did not come to its end; the text says why."""


def last_json(text):
    for line in reversed(text.splitlines()):
        if line.startswith("{"):
            return json.loads(line)
    return None


class Hub:
    """One hub for one run, on a new journal in a directory of its own under `disk`."""

    def __init__(self, binaries, disk, theatres, journal="sqlite"):
        self.binaries = binaries
        self.folder = tempfile.mkdtemp(prefix="hub-", dir=disk)
        self.nonce = secrets.token_hex(16)
        self.process = None
        self._write_identities(theatres)
        ports = os.path.join(self.folder, "ports")
        command = [os.path.join(binaries, "remora-hub"), "--local-identities", self._identities,
                   "--listen-grpc", "127.0.0.1:0", "--listen-http", "127.0.0.1:0", "--ports-file", ports]
        self.journal = os.path.join(self.folder, "journal.db")
        command += ["--journal", self.journal] if journal == "sqlite" else ["--journal", "memory", "--nothing-is-kept"]
        self.log_path = os.path.join(self.folder, "log")
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder)
        self._await_ports(ports)

    def _write_identities(self, theatres):
        self._identities = os.path.join(self.folder, "identities")

        def identity(name, role, theatre=""):
            digest = hashlib.blake2b(f"{name}-{self.nonce}".encode(), digest_size=32).hexdigest()
            where = f' theatre: "{theatre}"' if theatre else ""
            return f'identity {{ name: "{name}" display_name: "{name}" role: {role} token_hash: "{digest}"{where} }}\n'

        with open(self._identities, "w", encoding="utf-8") as f:
            os.fchmod(f.fileno(), stat.S_IRUSR | stat.S_IWUSR)
            for k in range(1, theatres + 1):
                f.write(identity(f"agent-{k}", "ROLE_AGENT", f"OR {k}"))
            for i in range(READERS):
                f.write(identity(f"reader-{i}", "ROLE_NEUROPHYSIOLOGIST"))

    def _await_ports(self, path):
        end = time.monotonic() + START_TIMEOUT_S
        while not os.path.exists(path):
            if self.process.poll() is not None or time.monotonic() > end:
                text = self.log()
                self.close()
                raise Failed("the hub did not start: " + text)
            time.sleep(0.01)
        with open(path, encoding="utf-8") as f:
            ports = json.load(f)
        self.grpc = f"127.0.0.1:{ports['grpc_port']}"
        self.http = f"127.0.0.1:{ports['http_port']}"

    @property
    def pid(self):
        return self.process.pid

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def journal_bytes(self):
        return sum(os.path.getsize(os.path.join(self.folder, n)) for n in os.listdir(self.folder)
                   if n.startswith("journal.db"))

    def close(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def load_command(hub, role, control, settings):
    command = [os.path.join(hub.binaries, "remora-bench-load"), "--role", role, "--control", control]
    reached = {"grpc": hub.grpc, "http": hub.http, "nonce": hub.nonce}
    for key, value in {**reached, **settings}.items():
        command += ["--" + key.replace("_", "-"), str(value)]
    return command


def status_mib(pid, key="VmRSS:"):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        for line in f:
            if line.startswith(key):
                return int(line.split()[1]) / 1024
    return 0.0


class MemoryWatch:
    """The hub's resident memory each half second while it is open."""

    def __init__(self, pid):
        self.samples = []
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(pid,), daemon=True)
        self._thread.start()

    def _run(self, pid):
        began = time.monotonic()
        while not self._end.wait(0.5):
            try:
                self.samples.append((round(time.monotonic() - began, 1), round(status_mib(pid), 1)))
            except OSError:
                return

    def close(self):
        self._end.set()
        self._thread.join()


def run_load(hub, settings, reached):
    """Followers and publishers of one run; what both measured, as one row. `reached` says where followers find the
    hub, and by "publish" where publishers do, if not directly."""
    control = f"/dev/shm/remora-bench-{os.getpid()}-{secrets.token_hex(4)}"
    with open(control, "wb"):
        pass
    follow = publish = None
    reached = dict(reached)
    publishing = {**settings, **reached.pop("publish", {})}
    following = {**settings, **reached}
    watch = MemoryWatch(hub.pid)
    try:
        if settings["subs"] > 0:
            follow = subprocess.Popen(load_command(hub, "follow", control, following), stdout=subprocess.PIPE, text=True)
        pids = {"hub_pid": hub.pid, "follow_pid": follow.pid if follow else 0}
        publish = subprocess.Popen(load_command(hub, "publish", control, {**publishing, **pids}),
                                   stdout=subprocess.PIPE, text=True)
        length = settings["secs"] + settings["warm"] + settings.get("resume", 0) + SLACK_S
        try:
            published, _ = publish.communicate(timeout=length)
            followed = follow.communicate(timeout=20)[0] if follow else "{}"
        except subprocess.TimeoutExpired as late:
            raise Failed(f"the load took longer than {length:.0f} s") from late
        row, more = last_json(published), last_json(followed)
        if row is None or more is None:
            raise Failed("the load ended without a result; the hub says: " + hub.log()[-600:])
        if hub.process.poll() is not None:
            raise Failed("the hub ended: " + hub.log()[-600:])
        return {**row, **more, "journal_mib": hub.journal_bytes() / 2**20, "memory": watch.samples}
    finally:
        watch.close()
        for process in (publish, follow):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()
        os.unlink(control)
