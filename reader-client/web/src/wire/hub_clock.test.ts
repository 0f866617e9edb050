import { describe, expect, it } from 'vitest';
import { FakeClock } from '../base/clock.js';
import { HubClock } from './hub_clock.js';

describe('HubClock', () => {
  it('PrefersTheShortestWayAndLetsItsBoundGrow', () => {
    const clock = new FakeClock();
    const hub = new HubClock(clock);
    clock.advance(100);
    hub.add(0, 100, 10_050, 10_050);
    clock.advance(4);
    hub.add(100, 104, 10_103, 10_103);
    expect(hub.estimate()).toMatchObject({ offsetMs: 10_001, boundMs: 2 });
    clock.advance(1_000);
    expect(hub.estimate()!.boundMs).toBeCloseTo(3, 6);
  });

  it('DropsProbesThatANewerOneContradicts', () => {
    const clock = new FakeClock();
    const hub = new HubClock(clock);
    clock.advance(4);
    hub.add(0, 4, 10_002, 10_002);
    // A second of sleep that nobody noticed: the old probe is the better one, and wrong.
    clock.advance(20);
    hub.add(4, 24, 11_014, 11_014);
    expect(hub.estimate()).toMatchObject({ offsetMs: 11_000, boundMs: 10 });
  });

  it('HintsOnlyWhileItKnowsNothing', () => {
    const clock = new FakeClock();
    const hub = new HubClock(clock);
    hub.hint(10_000);
    expect(hub.nowMs()).toBe(10_000);
    clock.advance(4);
    hub.add(0, 4, 10_502, 10_502);
    hub.hint(20_000);
    expect(hub.nowMs()).toBe(10_504);
    hub.reset();
    expect(hub.nowMs()).toBeUndefined();
  });

  it('HostileProbesAreNotTaken', () => {
    const hub = new HubClock(new FakeClock());
    hub.add(10, 0, 0, 0);
    hub.add(0, 10, 0, 20);
    hub.add(0, Number.NaN, 0, 0);
    expect(hub.estimate()).toBeUndefined();
  });
});
