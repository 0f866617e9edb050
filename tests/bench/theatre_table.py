"""A theatre with everything on, through the agent's analysis: what it costs, how late each result is, and what of it
was measured at all. The plan is acquisition-agent/plans/everything.plan, the scenario sim:everything."""
import json
import os
import shutil
import statistics
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PLAN = os.path.join(ROOT, "acquisition-agent", "plans", "everything.plan")

# At most so much of one core; from the last sample of a sweep to its record; of memory.
MOST_CORE, MOST_MS, MOST_MB = 0.10, 5.0, 256
SECONDS, ROUNDS, BLOCK_MS = 180, 3, 20
# Fewer results than this prove nothing.
LEAST = 3
# Nor do those that were timed speak for the others when they are a smaller part of all. In this scenario single stimuli end two SEP averages of
# three by a pause, and such an average has no last sample to be late from.
LEAST_SHARE = 0.25

# All must be on.
MODALITIES = ("SEP_UPPER", "SEP_LOWER", "SEP_DERMATOMAL", "MEP_TRANSCRANIAL", "MEP_DIRECT_CORTICAL", "D_WAVE", "EMG_FREE_RUNNING",
              "EMG_TRIGGERED", "DIRECT_NERVE_STIMULATION", "PEDICLE_SCREW", "RLN_INTERMITTENT", "RLN_CONTINUOUS", "BAEP", "ECOCHG", "VEP",
              "EEG", "ECOG", "TRAIN_OF_FOUR", "MAP_MIDLINE", "MAP_CORTICAL_PHASE_REVERSAL",
              "MAP_CORTICAL_STIMULATION", "MAP_SUBCORTICAL")
# Records that must come beside their results: what it is -> kind, and the least number of them.
BESIDE = {"relations": ("relation", LEAST), "thresholds": ("stimulus_threshold", LEAST), "after-discharges": ("eeg_activity", 1),
          "discharges in EMG": ("emg_activity", LEAST), "envelopes of EMG": ("envelope", LEAST), "spectra of EEG": ("spectrum_slice", LEAST),
          "vital signs": ("vitals", LEAST), "drugs": ("drug_given", 1), "impedances": ("impedances", 1),
          "position": ("position_change", 1), "phases": ("phase_change", 1), "baselines": ("baseline_set", 1)}


def run(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"theatre: {done.stderr.strip()}")
    return json.loads(done.stdout)


def measure(build, out, smoke):
    """The whole in rounds, then each modality alone; in a smoke test once, at a quarter of the rate."""
    program = os.path.join(build, "bin", "remora-bench-theatre")
    source = f"sim:everything?block_ms={BLOCK_MS}" + ("&rate=5000" if smoke else "")
    rounds = []
    for _ in range(1 if smoke else ROUNDS):
        spool = os.path.join(out, "theatre-spool")
        shutil.rmtree(spool, ignore_errors=True)
        rounds.append(run([program, source, PLAN, "65" if smoke else str(SECONDS), spool]))
        shutil.rmtree(spool, ignore_errors=True)
    return rounds, run([program, source, PLAN, "5" if smoke else "60", "--by-modality"])


def _modality(one, name):
    return next((m for m in one["modalities"] if m["name"] == name), None)


def _is_measured(one, name, least):
    found = _modality(one, name)
    if found is None or found["results"] < least:
        return False
    return all(found[clock] and found[clock]["count"] >= least for clock in ("added_ms", "added_by_wall_clock_ms"))


def not_measured(rounds, least=LEAST):
    """What any round has too few of: modalities, and records beside their results."""
    missing = [name for name in MODALITIES if not all(_is_measured(one, name, least) for one in rounds)]
    return missing + [what for what, (kind, number) in BESIDE.items()
                      if any(one["kinds"].get(kind, 0) < min(number, least) for one in rounds)]


def _timed(one, name):
    return _modality(one, name)["added_ms"]["count"]


def _share(one, name):
    return _timed(one, name) / _modality(one, name)["results"]


def too_few_timed(rounds, missing, least_share=LEAST_SHARE):
    """Modalities with results of which, in any round, too small a part was timed."""
    return [name for name in MODALITIES if name not in missing and any(_share(one, name) < least_share for one in rounds)]


def core(one):
    return one["cpu_s"] / one["simulated_s"]


def _spread(values, form):
    text = form.format(statistics.median(values))
    return text if len(values) == 1 else f"{text} ({form.format(min(values))}-{form.format(max(values))})"


def _verdict(values, most, missing, too_few=False):
    if missing:
        return "not measured"
    if statistics.median(values) > most:
        return "**missed**"
    return "**not met**: too few timed" if too_few else "met"


def _p99(rounds, name, clock="added_ms"):
    return [_modality(one, name)[clock]["p99"] for one in rounds]


def _slowest(rounds, missing, clock):
    """Of those with a sweep: its p99 in each round, and both in words."""
    sweeps = [name for name in MODALITIES if name not in missing and _modality(rounds[0], name)["of_sweep"]]
    worst = max(sweeps, key=lambda name: statistics.median(_p99(rounds, name, clock)), default=None)
    if worst is None:
        return [], ""
    p99 = _p99(rounds, worst, clock)
    return p99, f"{_spread(p99, '{:.1f}')} ms ({worst})"


def _promises(rounds, missing, too_few):
    lines = ["| what | wanted | measured | |", "| --- | --- | --- | --- |"]
    shares = [100 * core(one) for one in rounds]
    lines.append(f"| of one core | at most {100 * MOST_CORE:.0f} % | {_spread(shares, '{:.1f}')} % | {_verdict(shares, 100 * MOST_CORE, missing)} |")
    for what, clock in (("from the arrival of a sweep's last sample to its record", "added_ms"),
                        ("the same by the wall clock: with the disk, and what else ran on this machine", "added_by_wall_clock_ms")):
        p99, told = _slowest(rounds, missing, clock)
        lines.append(f"| {what}, p99, of the slowest modality | at most {MOST_MS:.0f} ms | {told} | "
                     f"{_verdict(p99, MOST_MS, missing or not p99, too_few)} |")
    if all(one["sweeps"]["added_ms"] for one in rounds):
        every = [one["sweeps"]["added_ms"]["p99"] for one in rounds]
        wait = [one["sweeps"]["in_block_ms"][q] for q in ("p50", "p99") for one in rounds]
        lines.append(f"| not by the wall clock, of all sweeps | | {_spread(every, '{:.1f}')} ms | |")
        lines.append(f"| before it: until the block of {BLOCK_MS} ms with that sample is whole, p50 and p99 | | {statistics.median(wait[:len(rounds)]):.1f} and "
                     f"{statistics.median(wait[len(rounds):]):.1f} ms | |")
    peaks = [one["peak_mb"] for one in rounds]
    lines.append(f"| memory, peak, with the simulator's | at most {MOST_MB} MB | {_spread(peaks, '{:.0f}')} MB | {_verdict(peaks, MOST_MB, missing)} |")
    return lines


def _row(rounds, parts, name, missing, too_few):
    if name in missing:
        return f"| {name} | {min((_modality(one, name) or {'results': 0})['results'] for one in rounds)} | | | | | | not measured |"
    found = _modality(rounds[0], name)
    alone = parts["cpu_s"].get(name)
    share = f"{100 * alone / parts['simulated_s']:.2f}" if alone is not None else ""
    p50 = [_modality(one, name)["added_ms"]["p50"] for one in rounds]
    p99, wall = _p99(rounds, name), _p99(rounds, name, "added_by_wall_clock_ms")
    least = min(rounds, key=lambda one: _share(one, name))
    timed = f"{_timed(least, name)} of {_modality(least, name)['results']}, {100 * _share(least, name):.0f} %"
    # Held by both clocks.
    later = p99 if statistics.median(p99) > statistics.median(wall) else wall
    verdict = _verdict(later, MOST_MS, False, name in too_few) if found["of_sweep"] or name in too_few else "runs on"
    return (f"| {name} | {found['results']} | {timed} | {share} | {statistics.median(p50):.1f} | {_spread(p99, '{:.1f}')} | "
            f"{_spread(wall, '{:.1f}')} | {verdict} |")


def table(rounds, parts, least=LEAST, least_share=LEAST_SHARE):
    """The part of the report, as Markdown."""
    missing = not_measured(rounds, least)
    too_few = too_few_timed(rounds, missing, least_share)
    one = rounds[0]
    lines = ["", f"A theatre with everything on ([everything.plan](../acquisition-agent/plans/everything.plan)): {one['channels']} channels at "
             f"{one['sample_rate_hz'] / 1000:.0f} kHz, blocks of {BLOCK_MS} ms, median of {len(rounds)} rounds of {one['simulated_s']:.0f} s "
             "(least-most). The simulator's own time is not counted.", ""]
    lines += _promises(rounds, missing, too_few)
    if missing:
        lines += ["", f"Not measured, with fewer than {least} results or records of it: {', '.join(missing)}."]
    if too_few:
        lines += ["", f"Of fewer than {100 * least_share:.0f} % of its results the time is known: {', '.join(too_few)}."]
    lines += ["", "| modality | results | timed, in the round with the least | of one core, alone, % | to its record, p50, ms | p99, ms | "
              "p99 by the wall clock, ms | |", "| --- | --- | --- | --- | --- | --- | --- | --- |"]
    lines += [_row(rounds, parts, name, missing, too_few) for name in MODALITIES]
    whole = 100 * parts["cpu_s"]["all"] / parts["simulated_s"]
    alone = 100 * sum(spent for name, spent in parts["cpu_s"].items() if name != "all") / parts["simulated_s"]
    lines += ["", f"Alone means with what all share, the judging of channels: together {alone:.1f} %, all in one {whole:.1f} %.", ""]
    return "\n".join(lines)
