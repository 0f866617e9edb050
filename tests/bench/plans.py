"""The plans: which systems run under which load. docs/performance.md says what each is for.

A configuration has the settings that all systems share, by the names that the peers' harness and
load/load_options.h use, and those that only Remora has ("extra").
"""

PLANS = ["saturate", "ingest", "steady", "busy", "slow", "reconnect", "scale", "theatres", "idle",
         "link"]

# Blocks of 4 KiB a second: 150 kB/s.
REAL_RATE = 37

SYSTEMS = {
    "saturate": ["tcp", "zmq", "nats", "grpc-cq", "remora-grpc-live", "remora-grpc-complete", "remora-grpc-lean-live",
                 "remora-ws-live", "remora-ws-complete", "remora-grpc-live-memory", "remora-grpc-complete-memory",
                 "remora-grpc-lean-live-memory", "remora-ws-live-memory", "remora-tls-live"],
    "ingest": ["remora-grpc-live", "remora-grpc-live-memory"],
    "steady": ["tcp", "nats", "nats-jetstream", "remora-grpc-live", "remora-grpc-lean-live", "remora-sdk-live",
               "remora-ws-live", "remora-grpc-live-memory", "remora-grpc-lean-live-memory", "remora-ws-live-memory",
               "remora-tls-live"],
    "busy": ["tcp", "nats", "remora-grpc-live", "remora-ws-live"],
    "slow": ["nats", "zmq", "remora-grpc-live", "remora-ws-live"],
    "reconnect": ["remora-grpc-complete", "remora-sdk-complete"],
    "scale": ["remora-grpc-live", "remora-ws-live"],
    "theatres": ["remora-grpc-live", "remora-ws-live"],
    "idle": ["remora-grpc-live", "remora-ws-live"],
    "link": ["remora-sdk-live", "remora-ws-live"],
}


# What a smoke test runs of them: each way once.
SMOKE_SYSTEMS = {"remora-grpc-live", "remora-grpc-lean-live", "remora-grpc-complete", "remora-ws-live", "remora-sdk-live",
                 "remora-grpc-complete-memory"}


def _base(opt, topics, subs, rate, secs, warm=1.0):
    return {"topics": topics, "subs": subs, "pubs": topics, "size": 4096, "rate": rate, "warm": warm,
            "secs": opt.secs or secs}


def _saturate(opt):
    for size in opt.sizes:
        for subs in opt.subs:
            yield {**_base(opt, 1, subs, 0, 2.0, 0.5), "size": size, "window": max(32, min(512, 4096 // subs))}, {}


def _ingest(opt):
    for size in opt.sizes:
        yield {**_base(opt, 1, 0, 0, 3.0, 0.5), "size": size, "window": 1024}, {}


def _steady(opt, rate=10):
    topics = 3 if opt.smoke else 10 if opt.quick else 100
    yield _base(opt, topics, 3 * topics, rate, 5.0), {}


def _slow(opt):
    for stall in (0, 1):
        yield {**_base(opt, 1, 11, 200 if opt.smoke else 2000, 12.0), "stall": stall}, {"resume": 3.0 if stall else 0}


def _reconnect(opt):
    # 600 records are missed: in a minute, or faster when it has to be quick.
    seconds, rate = (6.0, 100) if opt.quick else (60.0, 10)
    yield {**_base(opt, 1, 11, rate, 0), "secs": seconds}, {"leave": 1, "resume": 3.0}


def _scale(opt):
    for topics in (3, 10) if opt.quick else (10, 50, 100, 200, 400):
        yield _base(opt, topics, 3 * topics, 10, 5.0, 2.0), {}


def _theatres(opt):
    # What a theatre really sends, 150 kB/s, until the machine that all share is full.
    for topics in (3,) if opt.quick else (50, 100, 150, 200, 300, 400):
        yield _base(opt, topics, 3 * topics, REAL_RATE, 5.0, 2.0), {}


def _idle(opt):
    # What a follower costs that is there and is sent next to nothing: the difference of two sizes.
    for subs in (10, 60) if opt.quick else (100, 1000):
        yield _base(opt, 10, subs, 0.5, 4.0), {}


def _link(opt):
    # Full waveforms, more than the link carries, and alerts.
    for rate in ("64 kbit/s", "256 kbit/s", "2 Mbit/s"):
        yield _base(opt, 1, 1, 100, 20.0, 5.0), {"alerts": 2, "link_rate": rate}


def configurations(plan, opt):
    """Pairs of shared settings and Remora's own."""
    makers = {"saturate": _saturate, "ingest": _ingest, "steady": _steady, "slow": _slow, "reconnect": _reconnect,
              "busy": lambda o: _steady(o, 100), "scale": _scale, "theatres": _theatres, "idle": _idle, "link": _link}
    return makers[plan](opt)
