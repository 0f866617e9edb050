import { create } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { RecordSchema } from '../wire/generated/remora/v1/record_pb.js';
import { SnapshotSchema } from '../wire/generated/remora/v1/room_pb.js';
import { timeOfDay } from '../base/format.js';
import { CaseModel } from './case_model.js';

const START_MS = 1_700_000_000_000;
const ns = (ms: number) => BigInt(Math.round(ms)) * 1_000_000n;
let seq = 0n;

// What is written at a minute of the case by a machine whose wall clock is so much ahead of the hub's.
function record(minute: number, aheadMs: number, body: MessageInitShape<typeof RecordSchema>['body'], bootId = 3n, monotonicMs = minute * 60_000) {
  seq++;
  return create(RecordSchema, {
    origin: new Uint8Array(16).fill(2), lane: 1, originSeq: seq, body, stamp: { epoch: 1, seq, recordedUnixNs: ns(START_MS + minute * 60_000) },
    capturedAt: { bootId, monotonicNs: ns(monotonicMs), wallUnixNs: ns(START_MS + minute * 60_000 + aheadMs) },
  });
}
const estimate = (minute: number, aheadMs: number, more: { boundMs?: number; bootId?: bigint; monotonicMs?: number } = {}) => {
  const monotonicMs = more.monotonicMs ?? minute * 60_000;
  return record(minute, aheadMs, { case: 'clockEstimate', value: { bootId: more.bootId ?? 3n,
    offsetNs: ns(START_MS + minute * 60_000 - monotonicMs), errorBoundNs: ns(more.boundMs ?? 5) } }, more.bootId, monotonicMs);
};
const said = (model: CaseModel) => model.clockSteps.value.map((s) => model.clocks.words(s, 'OR 1'));
const between = (a: number, b: number) => `between ${timeOfDay(START_MS + a * 60_000)} and ${timeOfDay(START_MS + b * 60_000)}`;

describe('A clock that steps', () => {
  it('IsSaidOnceWithWhoseByHowMuchAndWhen', () => {
    const model = new CaseModel();
    model.apply(record(1, 200, { case: 'measurement', value: { traceId: 'SEP_UPPER/L/X' } }));
    model.apply(estimate(1, 200));
    model.apply(estimate(2, 210));
    expect(said(model)).toEqual([]);
    const stepped = estimate(3, 600_210);
    model.apply(stepped);
    model.apply(stepped);
    model.apply(estimate(4, 600_220));
    const words = `Clock of OR 1\u2019s computer stepped by +10 min against the hub\u2019s ${between(2, 3)}; times go on by the hub\u2019s.`;
    expect(said(model)).toEqual([words]);
    model.apply(estimate(5, -86_400_000 + 600_220));
    expect(said(model)[1]).toContain(`stepped by \u22121 d against the hub\u2019s ${between(4, 5)}`);
  });
  it('IsNeitherASlewNorASleepNorAnotherPaceNorAnEstimateThatIsOnlyGuessed', () => {
    const model = new CaseModel();
    model.apply(estimate(1, 0));
    // 500 ppm for an hour.
    for (let m = 6; m <= 61; m += 5) model.apply(estimate(m, m * 30));
    // The monotonic clock stood for two hours, started anew, runs at ten times the pace.
    model.apply(estimate(200, 1830, { monotonicMs: 3_700_000 }));
    model.apply(estimate(201, 1830, { bootId: 4n, monotonicMs: 10 }));
    model.apply(estimate(202, 1830, { bootId: 4n, monotonicMs: 600_010 }));
    model.apply(estimate(203, 900_000, { bootId: 4n, boundMs: 60_000 }));
    model.apply(estimate(2, 900_000));
    expect(said(model)).toEqual([]);
  });
  it('IsRememberedOverASnapshotOfThisPage', () => {
    const model = new CaseModel();
    model.apply(estimate(1, 0));
    model.apply(estimate(2, -4_000));
    model.onSnapshot(create(SnapshotSchema, {}));
    expect(said(model)[0]).toContain('A participant\u2019s clock stepped by \u22124 s');
  });
});
