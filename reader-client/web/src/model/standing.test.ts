import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { CaseLifecycleSchema, CaseStage, CaseTransition } from '../wire/generated/remora/v1/case_pb.js';
import { CaseSummarySchema } from '../wire/generated/remora/v1/directory_pb.js';
import { timeOfDay } from '../base/format.js';
import { overWords, StageBook } from './standing.js';

const mark = (seq: number) => ({ id: `aa/1/${seq}`, seq: BigInt(seq), atMs: seq * 60_000, unrecorded: false, pending: seq === 0 });
const step = (transition: CaseTransition) => create(CaseLifecycleSchema, { transition });
const over = (stage: CaseStage, missing = 0, complete = missing === 0, more = {}) => create(CaseSummarySchema, {
  stage, certificate: { certificateIndex: 1, complete, missingCount: BigInt(missing), ...more } });

describe('What a case that is over is', () => {
  it('IsSaidWithWhenAndWhetherItIsWhole', () => {
    expect(overWords(over(CaseStage.CLOSED), 60_000)).toBe(`CLOSED ${timeOfDay(60_000)}, complete`);
    expect(overWords(over(CaseStage.SEALED, 12), 60_000)).toBe(`SEALED ${timeOfDay(60_000)}, 12 records missing`);
    expect(overWords(over(CaseStage.CLOSED, 0, false), undefined)).toBe('CLOSED, an agent has not said what it made');
    expect(overWords(over(CaseStage.CLOSED, 0, true, { givenUpCount: 8n }), undefined)).toBe('CLOSED, none missing');
    expect(overWords(create(CaseSummarySchema, { stage: CaseStage.CLOSED }), undefined)).toBe('CLOSED');
  });
  it('IsNotSaidOfACaseThatGoesOn', () => {
    expect([CaseStage.SCHEDULED, CaseStage.OPEN, CaseStage.CLOSING].map((s) => overWords(over(s), 60_000))).toEqual([undefined, undefined, undefined]);
    expect(overWords(undefined, 60_000)).toBeUndefined();
  });
  it('CameWithTheLastStepToItThatIsOnRecord', () => {
    const book = new StageBook();
    book.add(mark(9), step(CaseTransition.CLOSED));
    book.add(mark(4), step(CaseTransition.CLOSED));
    book.add(mark(6), step(CaseTransition.REOPENED));
    book.add(mark(0), step(CaseTransition.SEALED));
    expect(book.sinceMs(CaseStage.CLOSED)).toBe(9 * 60_000);
    expect(book.sinceMs(CaseStage.SEALED)).toBeUndefined();
  });
});
