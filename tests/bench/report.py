"""What was measured, as text: a line a run, and tables of medians with their spread and their ratios."""
import collections
import json
import statistics

from checks import all_us, hub_us, left_out, rate, table


# Ends the name of a system that runs from the other build (--against).
OTHER = "@other"


def line(row):
    what = f"{row['plan']} r{row['round']} {row['size']} B x {row['subs']:<4d} {row['system']:<28s}"
    if "got" not in row:
        return f"{what} FAILED {row['trouble']}"
    return (f"{what} {rate(row):>9.0f}/s  hub {hub_us(row):7.2f} us/dlv  "
            f"p50 {row.get('p50_us', 0):8.0f} p99 {row.get('p99_us', 0):8.0f} us"
            + (f"  ack p99 {row['ack_p99_us']:7.0f} us" if "ack_p99_us" in row else "")
            + f"  rss {row['hub_rss_mib']:.0f}" + (f"  DOES NOT COUNT: {row['trouble']}" if row["trouble"] else ""))


def _spread(rows, figure, form="{:,.0f}"):
    values = [figure(r) for r in rows]
    middle = form.format(statistics.median(values))
    if len(values) == 1:
        return middle
    return f"{middle} ({form.format(min(values))}-{form.format(max(values))})"


def _ratio(rows, others, figure):
    """The median of the ratios within each round."""
    base = {r["round"]: figure(r) for r in others}
    ratios = [figure(r) / base[r["round"]] for r in rows if base.get(r["round"])]
    return statistics.median(ratios) if ratios else None


def _busy(rows):
    """Whether other work ran: runs of this benchmark leave a load of 2 to 4 behind."""
    return statistics.median(r["load_before"] for r in rows) > 5


def _stolen(rows):
    """What the host of a virtual machine took away, and how many runs were made again for it."""
    told = [r for r in rows if "stolen" in r]
    if not told:
        return ""
    again = sum(r["tries"] - 1 for r in told)
    return (f" The host took {_spread(told, lambda r: 100 * r['stolen'], '{:.1f}')} % of the processors during a run;"
            f" {again} runs were made again because it took over 2 %.")


def _title(key):
    plan, size, subs, topics, stall, link = key
    text = f"{plan}: {size} B, {subs} followers"
    if topics > 1:
        text += f" of {topics} theatres"
    if link:
        text += f", link of {link}"
    return text + (f", {stall} of them stops reading" if stall else "")


def _counting(rows):
    return [r for r in rows if not r["trouble"]]


def _ratio_text(good, others, figure=rate):
    ratio = _ratio(good, _counting(others), figure)
    return "-" if ratio is None else f"{ratio:.2f}"


def _table(key, by):
    against = [s for s in ("nats", "zmq", "tcp") if _counting(by.get(s, []))]
    two_builds = any(name.endswith(OTHER) for name in by)
    columns = ["system", "runs", "deliveries/s"] + [f"x {s}" for s in against]
    columns += ["x other build"] if two_builds else []
    columns += ["x nats by CPU"] if "nats" in against else []
    columns += ["hub us/delivery", "all us/delivery", "p50 us", "p99 us", "ack p99 us", "left out %", "hub MiB"]
    lines = [f"### {_title(key)}", "", "| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    for name, rows in by.items():
        good = _counting(rows)
        runs = str(len(good)) if len(good) == len(rows) else f"{len(good)} of {len(rows)}"
        cells = [name, runs]
        if good:
            cells += [_spread(good, rate)] + [_ratio_text(good, by[s]) for s in against]
            cells += [_ratio_text(good, by.get(name + OTHER, []))] if two_builds else []
            cells += [_ratio_text(_counting(by["nats"]), good, all_us)] if "nats" in against else []
            cells += [_spread(good, hub_us, "{:.2f}"), _spread(good, all_us, "{:.2f}"),
                      _spread(good, lambda r: r.get("p50_us", 0)), _spread(good, lambda r: r.get("p99_us", 0)),
                      _spread(good, lambda r: r["ack_p99_us"]) if "ack_p99_us" in good[0] else "-",
                      _spread(good, left_out, "{:.1f}"), _spread(good, lambda r: r["hub_rss_mib"])]
        else:
            cells += ["does not count: " + rows[0]["trouble"].splitlines()[0][:80]]
        cells += [""] * (len(columns) - len(cells))
        lines.append("| " + " | ".join(cells) + " |")
    return lines + [""]


def markdown(files):
    rows = []
    for name in files:
        with open(name, encoding="utf-8") as f:
            rows += [json.loads(text) for text in f]
    if not rows:
        return "nothing was measured\n"
    groups = collections.defaultdict(lambda: collections.defaultdict(list))
    for row in rows:
        key = (row["plan"], row["size"], row["subs"], row["topics"], row.get("stall", 0),
               row.get("link_rate", ""))
        groups[key][row["system"]].append(row)
    lines = ["This machine, measured beside each round: fdatasync of 4 KiB p50 "
             f"{_spread(rows, lambda r: r['fdatasync_p50_us'])} us, p99 "
             f"{_spread(rows, lambda r: r['fdatasync_p99_us'])} us; 64 bytes there and back over loopback "
             f"{_spread(rows, lambda r: r['loopback_p50_us'])} us. Load before a run "
             f"{_spread(rows, lambda r: r['load_before'], '{:.1f}')}"
             + (" (busy with other work: figures for shaping, not for claims)." if _busy(rows) else ".")
             + _stolen(rows), ""]
    lines += table(rows) + [""]
    for key, by in groups.items():
        lines += _table(key, by)
    return "\n".join(lines)
