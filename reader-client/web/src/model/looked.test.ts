import { describe, expect, it } from 'vitest';
import { FakeClock } from '../base/clock.js';
import { Presence } from '../base/presence.js';
import { isInside, Looked } from './looked.js';

describe('Looked', () => {
  it('CountsFromWhenAThingCameIntoSightAndAnewAfterABreak', () => {
    const looked = new Looked();
    looked.update(['a'], 1000);
    looked.update(['a', 'b'], 1600);
    expect([looked.forMs('a', 2000), looked.forMs('b', 2000), looked.forMs('c', 2000)]).toEqual([1000, 400, 0]);
    looked.update([], 2100);
    looked.update(['a'], 2200);
    expect(looked.forMs('a', 2300)).toBe(100);
  });
});

describe('What can be seen', () => {
  it('LiesWhollyInside', () => {
    const area = { top: 100, bottom: 300 };
    expect(isInside({ top: 100, bottom: 300 }, area)).toBe(true);
    expect(isInside({ top: 90, bottom: 200 }, area)).toBe(false);
    expect(isInside({ top: 200, bottom: 310 }, area)).toBe(false);
    expect(isInside({ top: 400, bottom: 420 }, area)).toBe(false);
  });
  it('ShowsItsEndWhereItIsTallerThanThePlace', () => {
    const area = { top: 100, bottom: 300 };
    expect(isInside({ top: 0, bottom: 290 }, area)).toBe(true);
    expect(isInside({ top: 100, bottom: 400 }, area)).toBe(false);
  });
  it('IsNothingInAPlaceThatIsOffTheScreen', () => expect(isInside({ top: 5, bottom: 6 }, { top: 9, bottom: 2 })).toBe(false));
});

describe('Presence', () => {
  it('IsThereForAWhileAfterASignOfAPerson', () => {
    const clock = new FakeClock();
    const target = new EventTarget();
    const presence = new Presence(clock, target);
    expect(presence.within(5000)).toBe(false);
    target.dispatchEvent(new Event('keydown'));
    clock.advance(4999);
    expect(presence.within(5000)).toBe(true);
    clock.advance(1);
    expect(presence.within(5000)).toBe(false);
    target.dispatchEvent(Object.assign(new Event('pointermove'), { movementX: 0, movementY: 0 }));
    expect(presence.within(5000)).toBe(false);
    target.dispatchEvent(Object.assign(new Event('pointermove'), { movementX: 0, movementY: 3 }));
    expect(presence.within(5000)).toBe(true);
    clock.advance(6000);
    target.dispatchEvent(new Event('focus'));
    expect(presence.within(5000)).toBe(true);
  });
});
