import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FakeClock } from '../base/clock.js';
import { HubClock } from './hub_clock.js';

// Two quartzes, the hub's slew and a smeared leap second; delays that differ between the ways.
const SMEAR = 11.574e-6;
describe('The hub\u2019s time on this page', () => {
  it('IsNeverFurtherOffThanItsBoundWhateverTheClocksDo', () => {
    fc.assert(fc.property(
      fc.double({ min: -600e-6, max: 600e-6, noNaN: true }), fc.constantFrom(-SMEAR, 0, SMEAR),
      fc.array(fc.record({ wait: fc.integer({ min: 0, max: 20_000 }), there: fc.double({ min: 0, max: 800, noNaN: true }), back: fc.double({ min: 0, max: 800, noNaN: true }) }),
        { minLength: 1, maxLength: 40 }),
      (drift, smear, probes) => {
        const clock = new FakeClock();
        const hub = new HubClock(clock);
        let hubMs = 1_700_000_000_000;
        const pass = (ms: number) => {
          clock.advance(ms);
          hubMs += ms * (1 + drift + smear);
        };
        for (const probe of probes) {
          pass(probe.wait);
          const sent = clock.now();
          pass(probe.there);
          const at = hubMs;
          pass(probe.back);
          hub.add(sent, clock.now(), at, at);
          const e = hub.estimate()!;
          // A millisecond's thousandth is lost to the numbers' own precision at this size.
          expect(Math.abs(clock.now() + e.offsetMs - hubMs)).toBeLessThanOrEqual(e.boundMs + 0.01);
        }
      }), { numRuns: 500, seed: 7 });
  });

  it('DoesNotMoveWhenTheWallClockIsSetByTenMinutesOrADay', () => {
    for (const step of [600_000, -600_000, 86_400_000, -86_400_000]) {
      const clock = new FakeClock();
      const hub = new HubClock(clock);
      clock.advance(10);
      hub.add(0, 10, 1_000_005, 1_000_005);
      const before = hub.nowMs()!;
      clock.sleep(step); // the wall clock alone
      expect(hub.nowMs()).toBe(before);
    }
  });

  it('IsOnlyGuessedBeforeAProbe', () => {
    const hub = new HubClock(new FakeClock());
    hub.hint(5_000);
    expect(hub.estimate()!.boundMs).toBe(Infinity);
  });

  it('SaysDriftOnlyWhereItShows', () => {
    for (const ppm of [0, 200]) {
      const clock = new FakeClock();
      const hub = new HubClock(clock);
      for (let i = 0; i < 30; i++) {
        const sent = clock.now();
        clock.advance(2);
        const at = 1_000_000 + sent * (1 + ppm / 1e6) + 1;
        hub.add(sent, clock.now(), at, at);
        clock.advance(5_000);
      }
      expect(hub.estimate()!.driftPpb / 1000).toBeCloseTo(ppm, -1.5);
    }
  });
});
