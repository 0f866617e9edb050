// Alarm tones in the manner of IEC 60601-1-8: bursts of 10, 3 and 1 pulses for high, medium and low
// priority, each pulse a fundamental with three harmonics.

import { signal } from '@preact/signals';
import type { Clock } from '../base/clock.js';
import type { Ticker } from '../base/ticker.js';
import { SoundClaim } from './sound_claim.js';
import { AlertPriority } from '../wire/generated/remora/v1/alert_pb.js';

export type SoundState = 'on' | 'muted' | 'blocked' | 'settling' | 'elsewhere' | 'none';

// Silence by a person ends by itself.
export const MUTE_MS = 120_000;

interface Burst {
  // Starts of the pulses, in s.
  pulses: number[];
  pulseS: number;
  hz: number[];
  repeatMs: number;
}

const FIVE = [0, 0.2, 0.4, 0.75, 0.95];
const BURSTS: Partial<Record<AlertPriority, Burst>> = {
  [AlertPriority.HIGH]: {
    pulses: [...FIVE, ...FIVE.map((t) => t + 1.75)], pulseS: 0.13, hz: [523, 659, 784, 659, 784], repeatMs: 10_000,
  },
  [AlertPriority.MEDIUM]: { pulses: [0, 0.4, 0.8], pulseS: 0.2, hz: [523, 494, 440], repeatMs: 15_000 },
  [AlertPriority.LOW]: { pulses: [0], pulseS: 0.25, hz: [440], repeatMs: 30_000 },
};
// Relative strength of the fundamental and its harmonics: within 15 dB.
const HARMONICS = [1, 0.55, 0.4, 0.25];
const RAMP_S = 0.02;
const VOLUME = 0.14;

export class Sounder {
  readonly state = signal<SoundState>('none');
  readonly mutedUntilMs = signal(0);
  private context: AudioContext | undefined;
  private readonly claim: SoundClaim;
  private lastMs = -Infinity;
  private lastPriority = AlertPriority.UNSPECIFIED;

  // `kind`: of the page; one of each kind sounds in a browser. `worst`: the highest priority that calls now.
  constructor(
    private readonly clock: Clock, ticker: Ticker, kind: string, private readonly worst: () => AlertPriority) {
    this.claim = new SoundClaim(clock, kind, 'locks' in navigator ? navigator.locks : undefined,
      typeof BroadcastChannel === 'undefined' ? undefined : new BroadcastChannel(`remora-sounder-${kind}`));
    if (typeof AudioContext === 'undefined') return;
    this.context = new AudioContext();
    for (const input of ['pointerdown', 'keydown']) {
      document.addEventListener(input, () => {
        if (this.context?.state !== 'running') void this.context?.resume().catch(() => {});
      });
    }
    ticker.every(() => this.tick());
  }

  mute(): void {
    this.mutedUntilMs.value = this.clock.now() < this.mutedUntilMs.value ? 0 : this.clock.now() + MUTE_MS;
    this.lastMs = -Infinity;
    this.tick();
  }

  // Plays a low burst: is the loudspeaker on?
  async test(): Promise<void> {
    await this.context?.resume().catch(() => {});
    this.play(BURSTS[AlertPriority.LOW]!);
  }

  // A message that asks to be looked at.
  chime(): void {
    if (this.state.value === 'on') this.play({ pulses: [0, 0.18], pulseS: 0.14, hz: [392, 587], repeatMs: 0 });
  }

  private tick(): void {
    const now = this.clock.now();
    this.state.value = this.stateNow();
    if (this.state.value !== 'on') return;
    const priority = this.worst();
    const burst = BURSTS[priority];
    if (!burst) {
      this.lastPriority = priority;
      return;
    }
    if (priority <= this.lastPriority && now - this.lastMs < burst.repeatMs) return;
    this.lastMs = now;
    this.lastPriority = priority;
    this.play(burst);
  }

  private stateNow(): SoundState {
    if (!this.context) return 'none';
    const blocked = this.context.state !== 'running';
    const muted = this.clock.now() < this.mutedUntilMs.value;
    const claim = this.claim.update(!blocked && !muted);
    if (blocked || claim === 'none') return blocked ? 'blocked' : 'muted';
    return claim === 'mine' ? 'on' : claim;
  }

  private play(burst: Burst): void {
    const context = this.context;
    if (!context) return;
    burst.pulses.forEach((at, i) => {
      const start = context.currentTime + 0.05 + at;
      const end = start + burst.pulseS;
      const envelope = context.createGain();
      envelope.gain.setValueAtTime(0, start);
      envelope.gain.linearRampToValueAtTime(VOLUME, start + RAMP_S);
      envelope.gain.setValueAtTime(VOLUME, end - RAMP_S);
      envelope.gain.linearRampToValueAtTime(0, end);
      envelope.connect(context.destination);
      const fundamental = burst.hz[i % burst.hz.length]!;
      HARMONICS.forEach((strength, n) => {
        const oscillator = context.createOscillator();
        const level = context.createGain();
        oscillator.frequency.value = fundamental * (n + 1);
        level.gain.value = strength / HARMONICS.length;
        oscillator.connect(level).connect(envelope);
        oscillator.start(start);
        oscillator.stop(end + 0.01);
      });
    });
  }
}
