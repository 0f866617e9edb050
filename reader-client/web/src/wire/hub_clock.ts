// The hub's time as this page can know it: hub = own monotonic + offset, within a bound.
// The probe with the shortest way there and back of the last minutes wins; the bound grows with
// the drift that a quartz may have since then. A probe that contradicts older ones, within all
// bounds, drops them: one of the clocks stood still meanwhile.

import type { Clock } from '../base/clock.js';

export const PROBE_INTERVAL_MS = 5_000;
const KEEP_MS = 300_000;
// As docs/time.md has it: two quartzes, the hub's slew towards UTC, and a daemon that steers this clock.
const DRIFT = 1000e-6;

interface Probe {
  atMs: number;
  offsetMs: number;
  boundMs: number;
}

const grown = (p: Probe, nowMs: number): number => p.boundMs + (nowMs - p.atMs) * DRIFT;

export class HubClock {
  private probes: Probe[] = [];

  constructor(private readonly clock: Clock) {}

  // All in ms: sent and answered on the own monotonic clock, received and replied on the hub's.
  add(sentMs: number, answeredMs: number, receivedMs: number, repliedMs: number): void {
    const way = answeredMs - sentMs - (repliedMs - receivedMs);
    if (!(way >= 0) || answeredMs < sentMs) return;
    const offsetMs = (receivedMs + repliedMs) / 2 - (sentMs + answeredMs) / 2;
    const boundMs = way / 2;
    this.probes = this.probes.filter((p) => answeredMs - p.atMs <= KEEP_MS &&
      Math.abs(p.offsetMs - offsetMs) <= grown(p, answeredMs) + boundMs);
    this.probes.push({ atMs: answeredMs, offsetMs, boundMs });
  }

  // A first guess from a message without a way back, which may have been on its way for any time; a
  // probe replaces it.
  hint(hubMs: number): void {
    if (this.probes.length === 0) {
      this.probes.push({ atMs: this.clock.now(), offsetMs: hubMs - this.clock.now(), boundMs: Infinity });
    }
  }

  // A new hub process may have a new clock, and so has this machine after a sleep.
  reset(): void {
    this.probes = [];
  }

  // A bound of Infinity: only guessed.
  estimate(): { offsetMs: number; boundMs: number; driftPpb: number } | undefined {
    const now = this.clock.now();
    let best: { offsetMs: number; boundMs: number } | undefined;
    for (const p of this.probes) {
      const boundMs = grown(p, now);
      if (!best || boundMs < best.boundMs) best = { offsetMs: p.offsetMs, boundMs };
    }
    return best && { ...best, driftPpb: this.driftPpb() };
  }

  // Between the best probes of the earlier and the later half; 0 unless it shows beyond their bounds.
  private driftPpb(): number {
    const known = this.probes.filter((p) => Number.isFinite(p.boundMs));
    if (known.length < 10) return 0;
    const better = (a: Probe, b: Probe) => (b.boundMs < a.boundMs ? b : a);
    const half = Math.floor(known.length / 2);
    const [first, second] = [known.slice(0, half).reduce(better), known.slice(half).reduce(better)];
    const change = second.offsetMs - first.offsetMs;
    return Math.abs(change) <= first.boundMs + second.boundMs ? 0 : (change / (second.atMs - first.atMs)) * 1e9;
  }

  // The hub's time now in ms since 1970; undefined before anything is known of it.
  nowMs(): number | undefined {
    const e = this.estimate();
    return e && this.clock.now() + e.offsetMs;
  }
}
