import { create } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MeasurementSchema, MeasurementState } from '../wire/generated/remora/v1/measurement_pb.js';
import { MarkConfidence } from '../wire/generated/remora/v1/waveform_pb.js';
import { TrendSchema } from '../wire/generated/remora/v1/room_pb.js';
import { trendPages } from './trend_pages.js';
import type { Mark } from './stamp.js';
import type { Trace } from './traces.js';
import { runs, thin, TrendBook } from './trends.js';
import type { Point } from './trends.js';

const point = (atMs: number, state = MeasurementState.WITHIN_LIMITS, hollow = false): Point =>
  ({ id: `x/2/${atMs}`, seq: BigInt(atMs), atMs, amplitudePercent: 100, latencyPercent: 0, amplitudeUv: 2, latencyMs: 20, state, hollow });

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

describe('TrendBook', () => {
  it('DrawsAMeasurementThatWasShownAndIsRecordedLaterOnceAndWhereItWasMade', () => {
    const book = new TrendBook();
    const measured = create(MeasurementSchema, { traceId: 'x', state: MeasurementState.RED });
    const mark = (seq: bigint, atMs: number): Mark => ({ id: 'aa/2/7', seq, atMs, unrecorded: seq === 0n, pending: false });
    book.add(mark(0n, 1_000), measured);
    book.add(mark(0n, 1_000), measured);
    book.add(mark(9n, 600_000), measured);
    book.add(mark(9n, 600_000), measured);
    expect(book.get('x')!.points.map((p) => [p.seq, p.atMs])).toEqual([[9n, 1_000]]);
    // What came late lies where it was made, where that is known.
    book.add({ ...mark(10n, 600_000), id: 'aa/2/6' }, measured, 500);
    expect(book.get('x')!.points.map((p) => p.atMs)).toEqual([500, 1_000]);
  });
  it('KeepsUncertainPointsHollowAfterASnapshot', () => {
    const book = new TrendBook();
    const p = (confidence: MarkConfidence) => ({ state: MeasurementState.WITHIN_LIMITS, confidence });
    book.replace([create(TrendSchema, { traceId: 'x', points: [p(MarkConfidence.CLEAR), p(MarkConfidence.UNCERTAIN), p(MarkConfidence.UNSPECIFIED)] })]);
    expect(book.get('x')!.points.map((point) => point.hollow)).toEqual([false, true, false]);
  });
});

describe('trendPages', () => {
  it('HaveEveryTraceOnceTheTroubledOnesFirst', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 40 }), fc.nat(39), (count, bad) => {
      const traces = Array.from({ length: count }, (_, i) => ({ id: String(i), derivation: 'CPc-Front', side: 1 + (i % 2) })) as unknown as Trace[];
      const pages = trendPages(traces, (t) => (t.id === String(bad) ? MeasurementState.RED : MeasurementState.WITHIN_LIMITS), 6);
      expect(pages.flat().map((t) => t.id).sort()).toEqual(traces.map((t) => t.id).sort());
      expect(pages.every((p) => p.length <= 6)).toBe(true);
      if (bad < count) expect(pages[0]!.some((t) => t.id === String(bad))).toBe(true);
    }));
  });
});
