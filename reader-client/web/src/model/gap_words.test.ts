import { create } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { timeOfDay } from '../base/format.js';
import { CertificateSchema, DataGapCause, DataGapSchema, NamedGapCause } from '../wire/generated/remora/v1/link_pb.js';
import { RecordSchema } from '../wire/generated/remora/v1/record_pb.js';
import type { Record as CaseRecord } from '../wire/generated/remora/v1/record_pb.js';
import { idOf, toReference } from '../wire/record_id.js';
import { CaseModel } from './case_model.js';
import { dataGapWords, gapRows } from './gap_words.js';

const gap = (more: MessageInitShape<typeof DataGapSchema>) => create(DataGapSchema, more);
const NOON_MS = Date.UTC(2026, 0, 31, 12, 3, 10);
const clock = (ms: number) => timeOfDay(ms, true);

let seq = 0n;
function record(body: MessageInitShape<typeof RecordSchema>['body'], bootId = 3n): CaseRecord {
  seq++;
  return create(RecordSchema, {
    caseId: new Uint8Array(16).fill(1), origin: new Uint8Array(16).fill(2), lane: 1, originSeq: seq,
    capturedAt: { bootId, monotonicNs: seq }, body,
    stamp: { epoch: 1, seq, recordedUnixNs: BigInt(NOON_MS + 3_600_000) * 1_000_000n },
  });
}

describe('DataGapWords', () => {
  it('SaysWhatOfWhomWhenAndWhy', () => {
    const span = { fromMs: NOON_MS, toMs: NOON_MS + 15_000 };
    expect(dataGapWords(gap({ cause: DataGapCause.SOURCE_GAP, traceId: 'EMG_FREE_RUNNING/L/TA' }), span))
      .toBe(`EMG TA left samples missing ${clock(span.fromMs)}\u2013${clock(span.toMs)}: the source gave none`);
    expect(dataGapWords(gap({ cause: DataGapCause.SPOOL_SHORT, lane: 3, firstOriginSeq: 12n, lastOriginSeq: 19n }), undefined))
      .toBe('Sweeps missing (8: 12\u201319): its disk was short of space');
    expect(dataGapWords(gap({ cause: 99 as DataGapCause, lane: 9, firstOriginSeq: 4n, lastOriginSeq: 4n }), undefined))
      .toBe('Records of an unknown kind missing (1: 4): it was not said why');
  });

  it('GapLiesOverItsOwnTimeAndNotWhereItWasTold', () => {
    const model = new CaseModel();
    model.apply(record({ case: 'clockEstimate', value: { bootId: 3n, offsetNs: BigInt(NOON_MS) * 1_000_000n } }));
    const lost = { cause: DataGapCause.SOURCE_GAP, fromMonotonicNs: 1_000_000_000n, toMonotonicNs: 16_000_000_000n };
    model.apply(record({ case: 'dataGap', value: lost }));
    expect(model.notes.value[0]).toMatchObject({ kind: 'gap', atMs: NOON_MS + 1000, toMs: NOON_MS + 16_000 });
    // Of a clock that is not known, or without times, it is a point where it was told.
    model.apply(record({ case: 'dataGap', value: lost }, 4n));
    model.apply(record({ case: 'dataGap', value: { ...lost, toMonotonicNs: lost.fromMonotonicNs } }));
    for (const at of [1, 2]) {
      expect(model.notes.value[at]!.atMs).toBe(NOON_MS + 3_600_000);
      expect(model.notes.value[at]!.toMs).toBeUndefined();
    }
  });
});

describe('GapRows', () => {
  it('ListsEachGapWithWhoseWhyAndWhenAndTheLateOnesLast', () => {
    const model = new CaseModel();
    model.apply(record({ case: 'clockEstimate', value: { bootId: 3n, offsetNs: BigInt(NOON_MS) * 1_000_000n } }));
    const told = record({ case: 'dataGap', value: { cause: DataGapCause.SPOOL_DAMAGED, lane: 5, firstOriginSeq: 2n, lastOriginSeq: 3n,
      fromMonotonicNs: 1_000_000_000n, toMonotonicNs: 2_000_000_000n } });
    model.apply(told);
    const certificate = create(CertificateSchema, { heads: [
      { participant: 'agent-or1', lane: 5, late: [{ firstOriginSeq: 7n, lastOriginSeq: 9n }], gaps: [
        { firstOriginSeq: 2n, lastOriginSeq: 3n, cause: NamedGapCause.DATA_GAP, dataGap: toReference(idOf(told)) },
        { firstOriginSeq: 5n, lastOriginSeq: 5n, cause: NamedGapCause.DATA_GAP }] },
      { lane: 1, gaps: [
        { firstOriginSeq: 4n, lastOriginSeq: 4n, cause: NamedGapCause.MISSING },
        { firstOriginSeq: 6n, lastOriginSeq: 6n, cause: NamedGapCause.REFUSED }] }] });
    const rows = gapRows(certificate, model.gaps);
    expect(rows.map((r) => [r.whose, r.what, r.numbers, r.count, r.why])).toEqual([
      ['agent-or1', 'samples', '2\u20133', 2n, 'given up: its spool was damaged'],
      ['agent-or1', 'samples', '5', 1n, 'given up: it was not said why'],
      ['the hub', 'events', '4', 1n, 'missing: nobody has said why'],
      ['the hub', 'events', '6', 1n, 'refused by the hub'],
      ['agent-or1', 'samples', '7\u20139', 3n, 'came late, and is on record'],
    ]);
    expect(rows[0]!.when).toBe(`${clock(NOON_MS + 1000)}\u2013${clock(NOON_MS + 2000)}`);
    expect(rows[1]!.when).toBe('\u2013');
  });
});
