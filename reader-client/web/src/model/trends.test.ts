import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MeasurementState } from '../wire/generated/remora/v1/waveform_pb.js';
import { runs, thin } from './trends.js';
import type { Point } from './trends.js';

const point = (atMs: number, state = MeasurementState.WITHIN_LIMITS, hollow = false): Point =>
  ({ seq: BigInt(atMs), atMs, amplitudePercent: 100, latencyPercent: 0, amplitudeUv: 2, latencyMs: 20, state, hollow });

describe('runs', () => {
  it('JoinsNothingAcrossAGap', () => {
    const found = runs([0, 10, 20, 30, 100, 110].map((t) => point(t)));
    expect(found.map((r) => r.map((p) => p.atMs))).toEqual([[0, 10, 20, 30], [100, 110]]);
  });
  it('JoinsNothingOverNoResponseOrWhatCannotBeJudged', () => {
    const found = runs([point(0), point(10, MeasurementState.NO_RESPONSE), point(20), point(30, MeasurementState.NOT_INTERPRETABLE, true), point(40)]);
    expect(found.map((r) => r.map((p) => p.atMs))).toEqual([[0], [20], [40]]);
  });
});

describe('thin', () => {
  it('NeverDropsACrossingNorItsNeighbours', () => {
    fc.assert(fc.property(fc.array(fc.constantFrom(
      MeasurementState.WITHIN_LIMITS, MeasurementState.WITHIN_LIMITS, MeasurementState.RED, MeasurementState.NO_RESPONSE), { minLength: 3, maxLength: 200 }), (states) => {
      const points = states.map((s, i) => point(i, s));
      const left = new Set(thin(points).map((p) => p.atMs));
      states.forEach((s, i) => {
        const near = [states[i - 1], s, states[i + 1]];
        if (near.some((n) => n !== MeasurementState.WITHIN_LIMITS)) expect(left.has(i)).toBe(true);
      });
    }));
  });
  it('HalvesAQuietStretch', () => {
    expect(thin(Array.from({ length: 101 }, (_, i) => point(i))).length).toBeLessThan(55);
  });
});
