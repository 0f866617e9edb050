import { describe, expect, it } from 'vitest';
import { FakeClock } from '../base/clock.js';
import { SoundClaim } from './sound_claim.js';
import type { Channel, Locks } from './sound_claim.js';

// The locks of one browser: who asks first holds it until its promise ends.
class FakeLocks implements Locks {
  readonly names = new Set<string>();
  private readonly queues = new Map<string, (() => Promise<unknown>)[]>();
  async request(name: string, options: { signal: AbortSignal }, hold: () => Promise<unknown>): Promise<unknown> {
    this.names.add(name);
    const queue = this.queues.get(name) ?? [];
    this.queues.set(name, queue);
    return new Promise((resolve, reject) => {
      const run = async () => {
        await hold();
        queue.shift();
        void queue[0]?.();
        resolve(undefined);
      };
      options.signal.addEventListener('abort', () => {
        const at = queue.indexOf(run);
        if (at > 0) queue.splice(at, 1);
        if (at !== 0) reject(new Error('aborted'));
      });
      queue.push(run);
      if (queue.length === 1) void run();
    });
  }
}

class Bus {
  private readonly all: { kind: string; channel: Channel; heard: () => void }[] = [];
  join(kind: string): Channel {
    const channel: Channel = {
      addEventListener: (_, heard) => this.all.push({ kind, channel, heard }),
      postMessage: () => this.all.forEach((o) => {
        if (o.channel !== channel && o.kind === kind) o.heard();
      }),
    };
    return channel;
  }
}

function browser() {
  const clock = new FakeClock();
  const locks = new FakeLocks();
  const bus = new Bus();
  const page = (kind: string) => new SoundClaim(clock, kind, locks, bus.join(kind));
  // A tick of each page that wants to sound or not.
  const tick = async (...pages: [SoundClaim, boolean][]) => {
    clock.advance(250);
    const found = pages.map(([p, wants]) => p.update(wants));
    for (let i = 0; i < 8; i++) await Promise.resolve();
    return found;
  };
  return { clock, locks, page, tick };
}

describe('SoundClaim', () => {
  it('LetsOnePageOfAKindSoundAndTheOtherSaySo', async () => {
    const { page, tick } = browser();
    const [a, b] = [page('reader'), page('reader')];
    for (let i = 0; i < 4; i++) await tick([a, true], [b, true]);
    expect(await tick([a, true], [b, true])).toEqual(['mine', 'elsewhere']);
  });

  it('KeepsTheatreAndReaderApart', async () => {
    const { page, tick } = browser();
    const [a, b] = [page('reader'), page('theatre')];
    for (let i = 0; i < 4; i++) await tick([a, true], [b, true]);
    expect(await tick([a, true], [b, true])).toEqual(['mine', 'mine']);
  });

  it('GivesTheSoundAwayWhileItIsMutedOrBlocked', async () => {
    const { page, tick } = browser();
    const [a, b] = [page('reader'), page('reader')];
    for (let i = 0; i < 4; i++) await tick([a, true], [b, true]);
    for (let i = 0; i < 4; i++) await tick([a, false], [b, true]);
    expect(await tick([a, false], [b, true])).toEqual(['none', 'mine']);
    for (let i = 0; i < 16; i++) await tick([a, true], [b, true]);
    expect(await tick([a, true], [b, true])).toEqual(['elsewhere', 'mine']);
  });

  it('NeverHoldsTheLockWithoutASound', async () => {
    const { page, tick } = browser();
    const [silent, b] = [page('reader'), page('reader')];
    await tick([silent, false]);
    for (let i = 0; i < 4; i++) await tick([silent, false], [b, true]);
    expect(await tick([silent, false], [b, true])).toEqual(['none', 'mine']);
  });

  it('SoundsItselfWhereTheHolderDoesNotConfirm', async () => {
    const { page, tick } = browser();
    const [frozen, b] = [page('reader'), page('reader')];
    await tick([frozen, true]);
    for (let i = 0; i < 13; i++) await tick();
    expect(await tick([b, true])).toEqual(['settling']);
    for (let i = 0; i < 8; i++) await tick([b, true]);
    expect(await tick([b, true])).toEqual(['mine']);
    // The holder comes to life again and says so.
    await tick([frozen, true], [b, true]);
    expect(await tick([frozen, true], [b, true])).toEqual(['mine', 'elsewhere']);
  });

  it('SoundsWhereABrowserHasNoLocks', () => {
    expect(new SoundClaim(new FakeClock(), 'reader', undefined, undefined).update(true)).toBe('mine');
  });
});
