import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { CaseStage } from '../wire/generated/remora/v1/case_pb.js';
import { CaseSummarySchema } from '../wire/generated/remora/v1/directory_pb.js';
import { MessageKind, MessageSchema, ReceiptKind } from '../wire/generated/remora/v1/message_pb.js';
import type { Mark } from './stamp.js';
import type { MessageView } from './talk.js';
import { caseToShow, ChimePlan, theatreTalk } from './theatre.js';

const ME = 'OR 3 team';
const mark = (id: string): Mark => ({ id, seq: 1n, atMs: 1, unrecorded: false, pending: false });
const message = (id: string, more: { urgent?: boolean; seen?: boolean; sender?: string; kind?: MessageKind } = {}): MessageView => ({
  mark: mark(id),
  message: create(MessageSchema, { text: id, urgent: more.urgent ?? false, sender: more.sender ?? 'Maya', kind: more.kind ?? MessageKind.CHAT }),
  receipts: more.seen ? [{ mark: mark(`${id}-r`), kind: ReceiptKind.READ, recipient: ME }] : [],
});
const shown = (all: MessageView[], stay?: string) => {
  const t = theatreTalk(all, ME, stay);
  return [t.shown?.mark.id, t.more];
};

describe('The message of a theatre', () => {
  it('IsTheOldestUrgentOneThatWasNotSeenWhateverCameSince', () => {
    expect(shown([message('a', { seen: true }), message('b', { urgent: true }), message('c', { urgent: true }), message('d')]))
      .toEqual(['b', 2]);
    expect(shown([message('a'), message('b', { urgent: true })])).toEqual(['b', 1]);
  });
  it('IsTheOldestUnseenOneWhereNoneIsUrgentAndElseTheLast', () => {
    expect(shown([message('a'), message('b')])).toEqual(['a', 1]);
    expect(shown([message('a', { seen: true }), message('b', { seen: true, urgent: true })])).toEqual(['b', 0]);
    expect(shown([])).toEqual([undefined, 0]);
  });
  it('StaysWhileItIsAnswered', () => {
    expect(shown([message('a', { seen: true }), message('b', { urgent: true })], 'a')).toEqual(['a', 1]);
  });
  it('IsNoneOfItsOwnNorOfTheSystem', () => {
    expect(shown([message('a', { sender: ME }), message('b', { kind: MessageKind.SYSTEM })])).toEqual([undefined, 0]);
  });
  it('HasTheOthersBehindItTheNewestFirst', () => {
    const all = [message('a', { seen: true }), message('b', { urgent: true }), message('c')];
    expect(theatreTalk(all, ME).others.map((m) => m.mark.id)).toEqual(['c', 'a']);
  });
});

describe('ChimePlan', () => {
  it('SoundsAgainForAnUrgentMessageUntilItIsSeenAndOnceForAnother', () => {
    const plan = new ChimePlan();
    const due = (unseen: MessageView[], atMs: number) => plan.isDue(unseen, atMs);
    expect(due([message('a')], 0)).toBe(true);
    expect(due([message('a')], 60_000)).toBe(false);
    expect(due([message('a'), message('b', { urgent: true })], 60_250)).toBe(true);
    expect(due([message('a'), message('b', { urgent: true })], 60_500)).toBe(false);
    expect(due([message('a'), message('b', { urgent: true })], 68_250)).toBe(true);
    expect(due([message('a')], 90_000)).toBe(false);
  });
});

describe('The case of a display', () => {
  const cases = (stage: CaseStage) => new Map([
    ['aa', create(CaseSummarySchema, { stage })], ['bb', create(CaseSummarySchema, { stage: CaseStage.OPEN })]]);
  it('IsNeverAnotherOneByItself', () => {
    expect(caseToShow(undefined, cases(CaseStage.OPEN), true, false)).toBeUndefined();
    expect(caseToShow('aa', cases(CaseStage.OPEN), true, true)).toBe('aa');
    expect(caseToShow('aa', cases(CaseStage.CLOSED), true, true)).toBeUndefined();
  });
  it('StaysWhileTheDirectoryComesInParts', () => {
    expect(caseToShow('aa', new Map(), true, true)).toBe('aa');
    expect(caseToShow('aa', new Map(), false, false)).toBe('aa');
    expect(caseToShow('aa', new Map(), true, false)).toBeUndefined();
  });
});
