import { afterEach, describe, expect, it, vi } from 'vitest';
import { FakeClock, pageClock } from './clock.js';

describe('pageClock', () => {
  afterEach(() => vi.restoreAllMocks());

  it('TakesEachTimeFromASourceOfItsOwnSoThatASleepIsSeen', () => {
    const mono = vi.spyOn(performance, 'now').mockReturnValue(5_000);
    const wall = vi.spyOn(Date, 'now').mockReturnValue(1_700_000_005_000);
    expect(pageClock.now()).toBe(5_000);
    expect(pageClock.wall()).toBe(1_700_000_005_000);
    const before = pageClock.wall() - pageClock.now();
    // A minute of sleep: the monotonic clock stood still.
    wall.mockReturnValue(1_700_000_065_000);
    mono.mockReturnValue(5_001);
    expect(pageClock.wall() - pageClock.now() - before).toBe(59_999);
  });
});

describe('FakeClock', () => {
  it('SleepsAsAMachineDoes', () => {
    const clock = new FakeClock(1_000, 50_000);
    clock.advance(10);
    expect(clock.wall() - clock.now()).toBe(50_000);
    clock.sleep(60_000);
    expect(clock.now()).toBe(1_010);
    expect(clock.wall()).toBe(111_010);
  });
});
