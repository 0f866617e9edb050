// How old the link is, by this page's own monotonic clock. Nobody else is asked.

import type { Clock } from '../base/clock.js';

// The wall-clock promises of the protocol: a link is stale, lost and unsupervised after these.
export const STALE_MS = 2_000;
export const LOST_MS = 10_000;
export const UNSUPERVISED_MS = 60_000;

export type LinkPhase = 'connecting' | 'live' | 'stale' | 'lost' | 'unsupervised';

export function phaseOf(ageMs: number): Exclude<LinkPhase, 'connecting'> {
  if (ageMs >= UNSUPERVISED_MS) return 'unsupervised';
  if (ageMs >= LOST_MS) return 'lost';
  return ageMs >= STALE_MS ? 'stale' : 'live';
}

export class LinkAge {
  private lastMs: number;
  private everHeard = false;

  constructor(private readonly clock: Clock) {
    this.lastMs = clock.now();
  }

  heard(): void {
    this.everHeard = true;
    this.lastMs = this.clock.now();
  }

  // The machine slept for so long, unseen by the monotonic clock.
  slept(ms: number): void {
    this.lastMs -= ms;
  }

  ageMs(): number {
    return this.clock.now() - this.lastMs;
  }

  // "connecting" only until the first sign of life, and no longer than a link may be silent. With
  // `aheadMs`: what it will be then, unless something is heard. A screen that is drawn that often
  // never shows a link as live that is stale already.
  phase(aheadMs = 0): LinkPhase {
    const age = this.ageMs() + aheadMs;
    return !this.everHeard && age < LOST_MS ? 'connecting' : phaseOf(age);
  }
}
