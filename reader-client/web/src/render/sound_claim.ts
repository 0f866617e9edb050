// Which page of a browser sounds: one of each kind. A page holds the lock only while it can sound,
// and says so; what nobody says is not believed, since two that sound are better than none.

import type { Clock } from '../base/clock.js';

export interface Locks {
  request(name: string, options: { signal: AbortSignal }, hold: () => Promise<unknown>): Promise<unknown>;
}

export interface Channel {
  postMessage(data: unknown): void;
  addEventListener(type: 'message', heard: () => void): void;
}

// `settling`: another page may be about to say that it sounds.
export type Claim = 'none' | 'settling' | 'mine' | 'elsewhere';

const SAY_EACH_MS = 1_000;
// Without a word for so long the other page does not sound.
const BELIEVED_MS = 3_000;
const SETTLE_MS = 1_500;

export class SoundClaim {
  private held = false;
  private asked: AbortController | undefined;
  private release: (() => void) | undefined;
  private askedAtMs = -Infinity;
  private saidAtMs = -Infinity;
  private heardAtMs = -Infinity;

  constructor(
    private readonly clock: Clock, private readonly kind: string, private readonly locks: Locks | undefined,
    private readonly channel: Channel | undefined) {
    channel?.addEventListener('message', () => (this.heardAtMs = this.clock.now()));
  }

  // Called with each tick. `canSound`: this page would be heard if it sounded now.
  update(canSound: boolean): Claim {
    if (!canSound) {
      this.giveUp();
      return 'none';
    }
    if (!this.locks) return 'mine';
    if (!this.asked) this.ask(this.locks);
    const now = this.clock.now();
    if (this.held) {
      if (now - this.saidAtMs >= SAY_EACH_MS) {
        this.saidAtMs = now;
        this.channel?.postMessage('sounds');
      }
      return 'mine';
    }
    if (now - this.heardAtMs < BELIEVED_MS) return 'elsewhere';
    return now - this.askedAtMs < SETTLE_MS ? 'settling' : 'mine';
  }

  private ask(locks: Locks): void {
    const asked = new AbortController();
    this.asked = asked;
    this.askedAtMs = this.clock.now();
    locks.request(`remora-sounder-${this.kind}`, { signal: asked.signal }, () => {
      if (asked.signal.aborted) return Promise.resolve();
      this.held = true;
      return new Promise<void>((resolve) => (this.release = resolve));
    }).catch(() => {
      // Given up, or refused by the browser: then nobody confirms, and this page sounds.
    });
  }

  private giveUp(): void {
    this.asked?.abort();
    this.asked = undefined;
    this.held = false;
    this.release?.();
    this.release = undefined;
    this.saidAtMs = -Infinity;
  }
}
