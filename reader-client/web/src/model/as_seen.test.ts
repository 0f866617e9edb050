import { describe, expect, it } from 'vitest';
import { FakeClock } from '../base/clock.js';
import { SeenMode } from '../wire/generated/remora/v1/link_pb.js';
import { AT_LEAST_EACH_MS, AT_MOST_EACH_MS, MOST_WAITING_CHANGES, SeenLog } from './as_seen.js';
import type { Seen, ViewSeenInit } from './as_seen.js';

function make() {
  const clock = new FakeClock();
  const written: [string, ViewSeenInit][] = [];
  const state = { takes: true };
  const log = new SeenLog(clock, (hex, view) => {
    if (state.takes) written.push([hex, view]);
    return state.takes;
  });
  const seen = (change: string): Seen => ({ change, view: { mode: SeenMode.LIVE } });
  // An hour at four looks a second.
  const run = (seconds: number, change: (tick: number) => string) => {
    for (let i = 0; i < seconds * 4; i++) {
      log.look('a', seen(change(i)));
      clock.advance(250);
    }
  };
  return { clock, written, log, seen, run, state };
}

describe('The as-seen log', () => {
  it('WritesAtLeastEach30sWhenNothingChangesAndAtMostEach2sWhenEverythingDoes', () => {
    const quiet = make();
    quiet.run(600, () => 'same');
    expect(quiet.written).toHaveLength(600_000 / AT_LEAST_EACH_MS);
    const busy = make();
    busy.run(600, String);
    expect(busy.written).toHaveLength(600_000 / AT_MOST_EACH_MS);
  });
  it('WritesAChangeSoonAndTriesAgainWhatCouldNotBeWritten', () => {
    const { clock, written, log, seen, state } = make();
    log.look('a', seen('1'));
    clock.advance(AT_MOST_EACH_MS);
    state.takes = false;
    log.look('a', seen('2'));
    clock.advance(250);
    state.takes = true;
    log.look('a', seen('2'));
    expect(written).toHaveLength(2);
  });
  it('KeepsEachChangeOfTenMinutesThatTheHubIsAwayAndThenOneEach30s', () => {
    const { clock, seen } = make();
    let waiting = 0;
    const log = new SeenLog(clock, () => ++waiting > 0, () => waiting);
    const run = (seconds: number) => {
      for (let i = 0; i < seconds * 4; i++) {
        log.look('a', seen(`${clock.now()}`));
        clock.advance(250);
      }
    };
    run(600);
    expect(waiting).toBe(MOST_WAITING_CHANGES);
    run(600);
    expect(waiting).toBe(MOST_WAITING_CHANGES + 600_000 / AT_LEAST_EACH_MS);
  });
  it('SaysWhenACaseLeavesTheScreenButOnlyIfItWasThere', () => {
    const { written, log, seen } = make();
    log.leave('b', { mode: SeenMode.HIDDEN });
    log.look('a', seen('1'));
    log.leave('a', { mode: SeenMode.WALL });
    expect(written.map(([hex, v]) => [hex, v.mode])).toEqual([['a', SeenMode.LIVE], ['a', SeenMode.WALL]]);
  });
});
