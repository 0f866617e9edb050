"""What is measured: Remora in its ways of being used, and its peers. Each is run on the same plan."""
import contextlib
import importlib.util
import os
import shutil
import subprocess

from hub import Failed, Hub, run_load
from ways import SlowLink, TlsProxy

# name -> how the hub is used: what followers speak, how they follow, where the journal is, which client. Followers over
# gRPC have its own library, unless a client is named: "lean" parses HTTP/2 in one thread as the peers' followers do.
REMORA = {
    "remora-grpc-live": {"over": "grpc", "delivery": "live"},
    "remora-grpc-complete": {"over": "grpc", "delivery": "complete"},
    "remora-grpc-lean-live": {"over": "grpc", "delivery": "live", "client": "lean"},
    "remora-ws-live": {"over": "websocket", "delivery": "live"},
    "remora-ws-complete": {"over": "websocket", "delivery": "complete"},
    "remora-grpc-live-memory": {"over": "grpc", "delivery": "live", "journal": "memory"},
    "remora-grpc-complete-memory": {"over": "grpc", "delivery": "complete", "journal": "memory"},
    "remora-grpc-lean-live-memory": {"over": "grpc", "delivery": "live", "client": "lean", "journal": "memory"},
    "remora-ws-live-memory": {"over": "websocket", "delivery": "live", "journal": "memory"},
    "remora-ws-complete-memory": {"over": "websocket", "delivery": "complete", "journal": "memory"},
    # The link that readers use, one thread for all of them: its own cost is most of what is seen.
    "remora-sdk-live": {"over": "grpc", "delivery": "live", "client": "sdk"},
    # Through nginx with TLS 1.3, as a hub is put to use; publishers too.
    "remora-tls-live": {"over": "grpc", "delivery": "live", "tls": True},
    "remora-sdk-complete": {"over": "grpc", "delivery": "complete", "client": "sdk"},
}
# A live follow holds 512 KiB of blocks and 128 KiB on their way (hub/fanout/limits.h): a publisher that is further
# ahead would have blocks left out, as it should.
LIVE_WINDOW_BYTES = 384 * 1024
PEER_TARGETS = ["fb_tcp", "fb_zmq", "fb_nats_raw", "fb_natsc", "fb_grpc", "fb_ws", "fb_limits"]


class Peers:
    """The other systems: their sources lie beside this repository, or they are left out."""

    def __init__(self, source, build):
        self.build = build
        self.why_absent = ""
        self._bench = None
        if not os.path.exists(os.path.join(source, "fanbench.py")):
            self.why_absent = f"no peers at {source}: Remora alone"
            return
        log = os.path.join(build, "build.log")
        os.makedirs(build, exist_ok=True)
        with open(log, "wb") as f:
            for command in (["cmake", "-S", source, "-B", build, "-DCMAKE_BUILD_TYPE=Release"],
                            ["cmake", "--build", build, "-j2", "--target", *PEER_TARGETS]):
                if subprocess.run(command, stdout=f, stderr=f, check=False).returncode != 0:
                    self.why_absent = f"the peers do not build ({log}): Remora alone"
                    return
        spec = importlib.util.spec_from_file_location("fanbench", os.path.join(source, "fanbench.py"))
        self._bench = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self._bench)

    def knows(self, name):
        return self._bench is not None and name in self._bench.SYSTEMS

    def run(self, name, plan):
        row = self._bench.run(self.build, name, plan)
        if row is None:
            raise Failed("no result")
        return row


def missing(name):
    """Whether this way of using Remora needs what is not installed here."""
    return REMORA[name].get("tls", False) and shutil.which("nginx") is None


def trouble_of(row, name, plan):
    """Why a row does not count; empty for one that does."""
    trouble = []
    lost = row["owed"] - row["got"]
    # Where more is sent than a link or a window carries, what is left out is told, and counted in the report.
    # nginx holds blocks of its own between hub and follower, which the publisher's window does not know of.
    lossy = name in REMORA and ("link_rate" in plan or "stall" in plan or REMORA[name].get("tls", False))
    if name in REMORA:
        for key in ("refused", "rejoined", "unreadable", "ended", "duplicates"):
            if row.get(key):
                trouble.append(f"{row[key]} {key}")
        if row.get("reader_holes") and not lossy:
            trouble.append(f"{row['reader_holes']} holes")
        if row.get("holes", 0) > row.get("told", 0) and REMORA[name]["delivery"] == "live":
            trouble.append(f"{row['holes'] - row['told']} holes untold")
    elif row.get("gaps"):
        trouble.append(f"{row['gaps']} gaps")
    if lost > 0 and not lossy:
        trouble.append(f"{lost} not delivered")
    return ", ".join(trouble)


def run_remora(name, plan, binaries, disk):
    settings = {**plan, **REMORA[name]}
    journal = settings.pop("journal", "sqlite")
    settings.pop("pubs", None)
    if settings["delivery"] == "live" and "window" in settings:
        settings["window"] = max(16, min(settings["window"], LIVE_WINDOW_BYTES // settings["size"]))
    link_rate = settings.pop("link_rate", None)
    tls = settings.pop("tls", False)
    with Hub(binaries, disk, settings["topics"], journal) as hub, contextlib.ExitStack() as ways:
        reached = {}
        if link_rate:
            reached = ways.enter_context(SlowLink(binaries, hub, link_rate)).reached()
        if tls:
            reached = ways.enter_context(TlsProxy(hub)).reached()
        row = run_load(hub, settings, reached)
    row["window"] = settings.get("window", 0)
    return row
