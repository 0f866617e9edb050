"""What Remora promises of its speed, as figures that a report either meets or does not. Ratios are of runs of one
round, and medians over the rounds."""
import statistics

from plans import REAL_RATE


def rate(row):
    """Deliveries a second (without followers: records on disk)."""
    return row["got"] / row["span_s"] if row.get("span_s", 0) > 0 else 0.0


def hub_us(row):
    """The hub's CPU for one delivery."""
    return row["cpu_hub"] / max(1, row["got"]) * 1e6


def all_us(row):
    """The CPU of hub, publishers and followers for one delivery: on a machine that is full, this is the rate, and
    other work hardly moves it."""
    return (row["cpu_hub"] + row["cpu_pub"] + row["cpu_sub"]) / max(1, row["got"]) * 1e6


def left_out(row):
    """The part of what was owed to those who read that never came, in percent; each one was told."""
    return 100 * (row["owed"] - row["got"]) / max(1, row["owed"])


class Measured:
    """All runs that count, by plan and system and any of their settings."""

    def __init__(self, rows):
        self.rows = [r for r in rows if not r["trouble"]]
        self._all = rows

    def tried(self, plan, system, setting):
        """The least and the largest of what was run, whether it counted or not."""
        values = {r[setting] for r in self._all if r["plan"] == plan and r["system"] == system}
        return (min(values), max(values)) if len(values) > 1 else None

    def by_round(self, plan, system, figure, **settings):
        return {r["round"]: figure(r) for r in self.rows
                if r["plan"] == plan and r["system"] == system and all(r.get(k) == v for k, v in settings.items())}


def _over(of, to):
    """Ratios within each round."""
    return [of[r] / to[r] for r in of if to.get(r)]


def _saturate(m, system, other, size, subs):
    of = m.by_round("saturate", system, rate, size=size, subs=subs)
    to = m.by_round("saturate", other, rate, size=size, subs=subs)
    if other == "the better broker":
        nats, zmq = (m.by_round("saturate", s, rate, size=size, subs=subs) for s in ("nats", "zmq"))
        to = {r: max(nats[r], zmq[r]) for r in nats if r in zmq}
    return _over(of, to)


def _fan_out(m):
    """At least so many times another system. Over gRPC with followers of two kinds: those that parse for themselves, as
    the peers' do, and those that use gRPC's own library, whose cost on these cores is the reader's and not the hub's."""
    for grpc in ("remora-grpc-lean-live", "remora-grpc-live"):
        wanted = [(grpc, 200, 4096, {"nats": 1.2, "zmq": 2.0, "tcp": 0.33}), (grpc, 50, 4096, {"nats": 1.2})]
        wanted += [(grpc + "-memory", subs, 4096, {"nats": 1.3, "tcp": 0.33}) for subs in (10, 50, 200)]
        wanted += [(grpc + "-memory", subs, 512, {"the better broker": 0.9}) for subs in (10, 50)]
        for system, subs, size, others in wanted:
            for other, least in others.items():
                yield _times(m, system, subs, size, other, least)
    yield _times(m, "remora-ws-live-memory", 200, 4096, "nats", 0.75)


def _times(m, system, subs, size, other, least):
    return (f"saturated, {size} B, {subs} followers: {system}", f"at least {least} x {other}",
            _saturate(m, system, other, size, subs), lambda v: v >= least, "{:.2f}")


def _ingest(m):
    megabytes = m.by_round("ingest", "remora-grpc-live", lambda r: rate(r) * r["size"] / 1e6, size=4096)
    yield "ingest alone, on disk", "at least 60 MB/s", list(megabytes.values()), lambda v: v >= 60, "{:.0f}"


def _steady(m):
    for system, most in (("remora-grpc-lean-live-memory", 1.0), ("remora-grpc-live-memory", 1.0),
                         ("remora-ws-live-memory", 0.5)):
        ratios = _over(m.by_round("steady", system, hub_us), m.by_round("steady", "nats", hub_us))
        yield (f"steady: hub CPU a delivery, {system}", f"at most {most} x nats", ratios,
               lambda v, most=most: v <= most, "{:.2f}")
    for system in ("remora-grpc-live", "remora-grpc-lean-live", "remora-ws-live"):
        p99 = m.by_round("steady", system, lambda r: r["p99_us"])
        yield (f"steady: capture to reader p99, {system}", "at most 5 ms", [v / 1000 for v in p99.values()],
               lambda v: v <= 5, "{:.2f}")
        jetstream = m.by_round("steady", "nats-jetstream", lambda r: r["p99_us"])
        yield (f"steady: p99, nats-jetstream over {system}", "at least 2", _over(jetstream, p99), lambda v: v >= 2,
               "{:.2f}")
        over = m.by_round("steady", system, lambda r: (r["ack_p99_us"] - r["fdatasync_p99_us"]) / 1000)
        yield (f"steady: durable acknowledgement p99 beyond fdatasync's, {system}", "at most 5 ms", list(over.values()),
               lambda v: v <= 5, "{:.2f}")


def _slow(m):
    for system in ("remora-grpc-live", "remora-ws-live"):
        left = m.by_round("slow", system, left_out, stall=1)
        yield (f"one of 11 stops reading: blocks left out of what the others read, {system}", "under 1 %",
               list(left.values()), lambda v: v < 1, "{:.1f}")
        p99 = [m.by_round("slow", system, lambda r: r["p99_us"], stall=s) for s in (0, 1)]
        yield (f"one of 11 stops reading: p99 of the others, {system}", "under 1.3 x undisturbed",
               _over(p99[1], p99[0]), lambda v: v < 1.3, "{:.2f}")
        grown = [m.by_round("slow", system, lambda r: r["hub_rss_mib"] - r["hub_rss_before_mib"], stall=s)
                 for s in (0, 1)]
        yield (f"one of 11 stops reading: the hub grows beyond what it does undisturbed, {system}", "under 8 MiB",
               [grown[1][r] - grown[0][r] for r in grown[1] if r in grown[0]], lambda v: v < 8, "{:.1f}")
        for key, what in (("first_age_ms", "it reads again: age of the first block"),
                          ("first_age_after_gap_ms", "it reads again: age of the first block behind a gap")):
            ages = m.by_round("slow", system, lambda r, key=key: r[key], stall=1)
            yield (f"{what}, {system}", "under 1000 ms", [v if v >= 0 else float("inf") for v in ages.values()], lambda v: v < 1000,
                   "{:.0f}")


def _link(m):
    for system in ("remora-sdk-live", "remora-ws-live"):
        for link, key, what, most in (("256 kbit/s", "p99_us", "shown age p99", 1000),
                                      ("2 Mbit/s", "alert_p99_us", "alerts p99", 50),
                                      ("64 kbit/s", "alert_p95_us", "alerts p95", 1000)):
            shown = m.by_round("link", system, lambda r, key=key: r[key] / 1000, link_rate=link)
            # None came: that is no latency.
            yield (f"a link of {link}, full waveforms: {what}, {system}", f"under {most} ms",
                   [v if v > 0 else float("inf") for v in shown.values()], lambda v, most=most: v < most, "{:.0f}")


def _reconnect(m):
    for system in ("remora-grpc-complete", "remora-sdk-complete"):
        whole = m.by_round("reconnect", system, lambda r: r["whole_ms"])
        yield (f"back after 600 records: whole, {system}", "within 200 ms",
               [v if v >= 0 else float("inf") for v in whole.values()], lambda v: v <= 200, "{:.0f}")
        before = m.by_round("reconnect", system, lambda r: r["p99_us"])
        after = m.by_round("reconnect", system, lambda r: r["p99_after_us"])
        yield (f"back after 600 records: p99 of the others, then over before, {system}", "under 1.3",
               _over(after, before), lambda v: v < 1.3, "{:.2f}")


def _growth(m):
    for system in ("remora-grpc-live", "remora-ws-live"):
        ends = m.tried("scale", system, "topics")
        few, many = (m.by_round("scale", system, hub_us, topics=n) for n in ends or (0, 0))
        yield (f"{ends[0]} to {ends[1]} theatres: hub CPU a delivery, {system}" if ends else
               f"theatres in number: hub CPU a delivery, {system}",
               "within 1.3 x", _over(many, few) if ends else [], lambda v: v <= 1.3, "{:.2f}")
        ends = m.tried("idle", system, "subs")
        few, many = (m.by_round("idle", system, lambda r: r["hub_rss_mib"], subs=n) for n in ends or (0, 0))
        each = [(many[r] - few[r]) * 1024 / (ends[1] - ends[0]) for r in many if r in few] if ends else []
        yield f"an idle follower's memory, {system}", "under 100 KiB", each, lambda v: v < 100, "{:.0f}"


def _theatres(m):
    """Theatres of real rates: how many were carried here beside their publishers and readers, and what 400 of them
    would need of the hub at what a delivery cost then."""
    for system in ("remora-grpc-live", "remora-ws-live"):
        whole = [r for r in m.rows if r["plan"] == "theatres" and r["system"] == system and left_out(r) < 1 and
                 r["p99_us"] < 1e6]
        carried = {r["round"]: r for r in sorted(whole, key=lambda r: r["topics"])}
        yield (f"theatres of 150 kB/s with 3 readers, carried here with all their load: {system}", "as many as fit",
               [r["topics"] for r in carried.values()], lambda v: v > 0, "{:.0f}")
        yield (f"400 such theatres by that cost, {system}", "at most 4 cores of hub",
               [hub_us(r) * 400 * REAL_RATE * 3 / 1e6 for r in carried.values()], lambda v: v <= 4, "{:.2f}")


# Medians of fewer rounds prove nothing.
ROUNDS = 5


def _verdict(holds, rounds):
    if rounds < ROUNDS:
        return f"{'holds' if holds else 'does not hold'} in {rounds} of {ROUNDS} rounds"
    return "ok" if holds else "**missed**"


def table(rows):
    """All promises as Markdown."""
    lines = ["| promise | wanted | measured: median (least-most) | |", "|---|---|---|---|"]
    measured = Measured(rows)
    for part in (_fan_out, _ingest, _steady, _slow, _link, _reconnect, _growth, _theatres):
        for what, wanted, values, holds, form in part(measured):
            if not values:
                lines.append(f"| {what} | {wanted} | not measured | |")
                continue
            middle = statistics.median(values)
            text = form.format(middle)
            if len(values) > 1:
                text += f" ({form.format(min(values))}-{form.format(max(values))})"
            lines.append(f"| {what} | {wanted} | {text} | {_verdict(holds(middle), len(values))} |")
    return lines
