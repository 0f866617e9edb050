// The hub's time as this page can know it: hub = own monotonic + offset, within a bound.
// The probe with the shortest way there and back of the last minutes wins; the bound grows with
// the drift that a quartz may have since then. A probe that contradicts older ones, within all
// bounds, drops them: one of the clocks stood still meanwhile.

import type { Clock } from '../base/clock.js';

export const PROBE_INTERVAL_MS = 5_000;
const KEEP_MS = 300_000;
// 50 parts in a million covers the quartz of an ordinary computer.
const DRIFT = 50e-6;

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

  // A first guess from a message without a way back; a probe replaces it.
  hint(hubMs: number): void {
    if (this.probes.length === 0) {
      this.probes.push({ atMs: this.clock.now(), offsetMs: hubMs - this.clock.now(), boundMs: 1000 });
    }
  }

  // A new hub process may have a new clock, and so has this machine after a sleep.
  reset(): void {
    this.probes = [];
  }

  estimate(): { offsetMs: number; boundMs: number } | undefined {
    const now = this.clock.now();
    let best: { offsetMs: number; boundMs: number } | undefined;
    for (const p of this.probes) {
      const boundMs = grown(p, now);
      if (!best || boundMs < best.boundMs) best = { offsetMs: p.offsetMs, boundMs };
    }
    return best;
  }

  // The hub's time now in ms since 1970; undefined before anything is known of it.
  nowMs(): number | undefined {
    const e = this.estimate();
    return e && this.clock.now() + e.offsetMs;
  }
}
