import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Columns } from './columns.js';
import { EVOKED_GAINS_UV, gridMs, step } from './scale.js';
import { beyond, zeroY } from './sweep_painter.js';

let serial = 0;

describe('Columns', () => {
  it('KeepsTheSmallestAndLargestOfEveryPixelWhateverTheBlocks', () => {
    fc.assert(fc.property(fc.array(fc.float({ noNaN: true, min: -500, max: 500 }), { minLength: 1, maxLength: 300 }),
      fc.integer({ min: 1, max: 90 }), (samples, cut) => {
        const whole = new Columns(50, 5000);
        whole.add({ fromMs: 0, stepMs: 10, values: Float32Array.from(samples), coarse: false, serial: ++serial });
        const parts = new Columns(50, 5000);
        for (let i = 0; i < samples.length; i += cut) {
          parts.add({ fromMs: i * 10, stepMs: 10, values: Float32Array.from(samples.slice(i, i + cut)), coarse: false, serial: ++serial });
        }
        expect(parts.low).toEqual(whole.low);
        expect(parts.high).toEqual(whole.high);
      }));
  });
  it('DrawsAGapAsAGapAndNothingOfASweepAgo', () => {
    const columns = new Columns(10, 1000);
    columns.add({ fromMs: 0, stepMs: 100, values: Float32Array.from([1, 1, 1]), coarse: false, serial: ++serial });
    columns.add({ fromMs: 1200, stepMs: 100, values: Float32Array.from([2]), coarse: false, serial: ++serial });
    expect(columns.holds(columns.slotOf(1200), 1200)).toBe(true);
    expect(columns.holds(columns.slotOf(500), 1200)).toBe(false);
    expect(columns.holds(columns.slotOf(0), 1200)).toBe(false);
    expect(columns.holds(columns.slotOf(100), 1050)).toBe(true);
  });
});

describe('Columns of envelopes', () => {
  it('StandInUntilTheSamplesComeAndYieldToThem', () => {
    const columns = new Columns(10, 1000);
    const envelope = { fromMs: 0, stepMs: 50, values: Float32Array.from([-9, 9, -9, 9]), coarse: true, serial: ++serial };
    const samples = { fromMs: 0, stepMs: 50, values: Float32Array.from([-1, 1]), coarse: false, serial: ++serial };
    columns.update([envelope]);
    expect([columns.low[0], columns.high[0], columns.high[1]]).toEqual([-9, 9, 9]);
    columns.update([envelope, samples]);
    expect([columns.low[0], columns.high[0], columns.high[1]]).toEqual([-1, 1, 9]);
    columns.add(envelope);
    expect([columns.low[0], columns.high[0]]).toEqual([-1, 1]);
  });
});

describe('Columns of what comes late', () => {
  it('AreFilledBehindThePen', () => {
    const columns = new Columns(10, 1000);
    const block = (fromMs: number) => ({ fromMs, stepMs: 100, values: Float32Array.from([1, 1]), coarse: false, serial: ++serial });
    const [first, late, last] = [block(0), block(200), block(400)];
    last!.serial = late!.serial;
    late!.serial = ++serial;
    columns.update([first!, last!]);
    expect(columns.low[2]).toBeNaN();
    columns.update([first!, late!, last!]);
    expect([columns.low[2], columns.low[3], columns.low[4]]).toEqual([1, 1, 1]);
  });
});

describe('scale', () => {
  it('StepsWithinItsEnds', () => {
    expect(step(EVOKED_GAINS_UV, 1, 1)).toBe(2);
    expect(step(EVOKED_GAINS_UV, 0.02, -1)).toBe(0.02);
    expect(step(EVOKED_GAINS_UV, 5000, 1)).toBe(5000);
  });
  it('GivesAReadableGrid', () => {
    for (const span of [20, 50, 100, 1000, 20_000]) expect(span / gridMs(span)).toBeLessThanOrEqual(12);
  });
});

describe('beyond', () => {
  it('CountsWhatLeavesThePaneNegativeUp', () => {
    expect(zeroY(64)).toBe(32.5);
    expect(beyond(Float32Array.from([-2, 0, 2]), 64, 1)).toEqual([1, 1]);
    expect(beyond(Float32Array.from([-0.5, 0.5]), 64, 1)).toEqual([0, 0]);
  });
});
