import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { signal } from '@preact/signals';
import { describe, expect, it } from 'vitest';
import { FakeClock } from '../base/clock.js';
import type { Body } from '../room/publisher.js';
import { AlertActionKind, AlertCondition, AlertPriority, Place } from '../wire/generated/remora/v1/alert_pb.js';
import type { AlertAction } from '../wire/generated/remora/v1/alert_pb.js';
import { CaseLifecycleSchema, CaseStage, CaseTransition } from '../wire/generated/remora/v1/case_pb.js';
import { MessageKind } from '../wire/generated/remora/v1/message_pb.js';
import { RecordSchema } from '../wire/generated/remora/v1/record_pb.js';
import { GapCause, GapSchema, SnapshotSchema } from '../wire/generated/remora/v1/room_pb.js';
import type { Record as CaseRecord } from '../wire/generated/remora/v1/record_pb.js';
import { idFrom, idOf, toReference } from '../wire/record_id.js';
import type { Unsent } from '../wire/set_aside.js';
import { acknowledge, closeCase, lookThrough, MESSAGE_BYTES, REASON_BYTES, say, sendDraft, sendUnsent, takeStep, tickUnseen, undoable, undoAcknowledge } from './acts.js';
import { isAcknowledged } from './alerts.js';
import { CaseModel } from './case_model.js';
import { CaseScreen, EMPTY_DRAFT } from './case_screen.js';
import type { Desk, OpenCase } from './desk.js';
import type { Interval } from './intervals.js';

function make() {
  const clock = new FakeClock();
  const model = new CaseModel();
  const notices: string[] = [];
  const sent: CaseRecord[] = [];
  let number = 0n;
  const desk = {
    clock, beat: signal(0), displayName: signal('Maya'),
    directory: { cases: signal(new Map([['aa', { stage: CaseStage.OPEN }]])) }, notify: (text: string) => notices.push(text),
    askStep: (hex: string, body: Body) => desk.publish(hex, body),
    publish: async (_: string, body: Body) => {
      const record = fromBinary(RecordSchema, toBinary(RecordSchema, create(RecordSchema, {
        origin: new Uint8Array(16).fill(5), lane: 0, originSeq: ++number, body })));
      sent.push(record);
      model.apply(record);
      return record;
    },
  } as unknown as Desk;
  const open = { hex: 'aa', model, screen: new CaseScreen('aa') } as unknown as OpenCase;
  let seq = 0n;
  const alert = (priority: AlertPriority, raisedBy?: CaseRecord) => {
    const record = create(RecordSchema, {
      origin: new Uint8Array(16).fill(2), lane: 0, originSeq: ++seq, stamp: { epoch: 1, seq, recordedUnixNs: seq },
      body: { case: 'alert', value: { priority, summary: 'SEP down',
        condition: raisedBy ? AlertCondition.UPDATED : AlertCondition.RAISED,
        raisedBy: raisedBy && toReference(idOf(raisedBy)) } } });
    model.apply(record);
    return record;
  };
  const actions = (): AlertAction[] => sent.flatMap((r) => (r.body.case === 'alertAction' ? [r.body.value] : []));
  return { clock, desk, open, model, notices, sent, alert, actions };
}

describe('Acknowledging', () => {
  it('SaysWhichStateOfTheAlertWasSeen', async () => {
    const { desk, open, model, alert, actions } = make();
    const raised = alert(AlertPriority.MEDIUM);
    const view = model.alerts.get(idOf(raised))!;
    alert(AlertPriority.HIGH, raised);
    // Pressed on what was on the screen before the alert became worse.
    await acknowledge(desk, open, view, Place.READER);
    expect(idFrom(actions()[0]!.seen)).toBe(idOf(raised));
    expect(isAcknowledged(model.alerts.get(idOf(raised))!, Place.READER)).toBe(false);
  });

  it('IsTakenBackItselfThoughTheTeamWasToldSince', async () => {
    const { desk, open, model, alert, actions, sent } = make();
    const id = idOf(alert(AlertPriority.HIGH));
    await acknowledge(desk, open, model.alerts.get(id)!, Place.READER);
    open.screen.write({ text: 'left leg is down', kind: MessageKind.ALERT_CARD, about: id });
    await sendDraft(desk, open);
    await undoAcknowledge(desk, open, model.alerts.get(id)!, Place.READER);
    const [acknowledged, told, undone] = actions();
    expect([acknowledged!.kind, told!.kind, undone!.kind])
      .toEqual([AlertActionKind.ACKNOWLEDGED, AlertActionKind.COMMUNICATED, AlertActionKind.UNDONE]);
    expect(idFrom(undone!.undone)).toBe(idOf(sent[0]!));
    expect(model.alerts.get(id)!.actions.map((a) => a.action.kind)).toEqual([AlertActionKind.COMMUNICATED]);
  });

  it('CanBeUndoneForEachAlertAndOnlyForAWhile', async () => {
    const { desk, open, model, alert, clock } = make();
    const one = idOf(alert(AlertPriority.HIGH));
    const two = idOf(alert(AlertPriority.HIGH));
    await acknowledge(desk, open, model.alerts.get(one)!, Place.READER);
    await acknowledge(desk, open, model.alerts.get(two)!, Place.READER);
    expect([one, two].map((id) => undoable(desk, open, id) !== undefined)).toEqual([true, true]);
    clock.advance(5_001);
    expect(undoable(desk, open, one)).toBeUndefined();
  });

  it('ToldOfAnEarlierStateDoesNotSilenceALaterCall', async () => {
    const { desk, open, model, alert } = make();
    const raised = alert(AlertPriority.MEDIUM);
    open.screen.write({ text: 'SEP down', kind: MessageKind.ALERT_CARD, about: idOf(raised), seen: idOf(raised) });
    alert(AlertPriority.HIGH, raised);
    await sendDraft(desk, open);
    expect(isAcknowledged(model.alerts.get(idOf(raised))!, Place.READER)).toBe(false);
  });
});

describe('A message', () => {
  it('IsSentWholeOrNotAtAll', async () => {
    const { desk, open, sent, notices } = make();
    await say(desk, open, { ...EMPTY_DRAFT, text: '\u00e9'.repeat(MESSAGE_BYTES / 2) });
    expect(sent).toHaveLength(1);
    await say(desk, open, { ...EMPTY_DRAFT, text: '\u00e9'.repeat(MESSAGE_BYTES / 2) + 'x' });
    expect(sent).toHaveLength(1);
    expect(notices).toHaveLength(1);
  });

  it('ThatIsTooLongStaysInItsField', async () => {
    const { desk, open } = make();
    const text = 'x'.repeat(MESSAGE_BYTES + 1);
    open.screen.write({ text });
    await sendDraft(desk, open);
    expect(open.screen.draft.value.text).toBe(text);
  });
});

describe('What came late', () => {
  const interval = { mark: { id: `${'02'.repeat(16)}/0/7` }, fromMs: 0, toMs: 20_000 } as unknown as Interval;
  const sweep = (atS: number) => create(RecordSchema, { origin: new Uint8Array(16).fill(2), lane: 3, originSeq: BigInt(atS),
    stamp: { epoch: 1, seq: BigInt(atS), recordedUnixNs: BigInt(atS) * 1_000_000_000n }, body: { case: 'sweep', value: { traceId: 'SEP/L/X' } } });
  const late = (toSeq: bigint) => create(GapSchema, { cause: GapCause.LATE, lane: 3, count: 1, fromSeq: 1n, toSeq });
  const answering = (desk: Desk, error?: string) => {
    const asked: number[][] = [];
    Object.assign(desk, { history: { ask: async (_: unknown, lanes: number[]) => {
      asked.push(lanes);
      return { records: lanes.includes(3) ? [sweep(5), sweep(10)] : [], error };
    } } });
    return asked;
  };
  const look = (desk: Desk, open: OpenCase) => lookThrough(desk, open, { fromMs: 0, toMs: 20_000 }, 1n, 99n, interval.mark.id);

  it('IsLookedThroughWhenItsLastStepWasShownAndNothingCameSince', async () => {
    const { desk, open, model } = make();
    open.hex = 'aa';
    const asked = answering(desk);
    model.leftOut.add(late(40n));
    const { screen } = open;
    const looked = () => screen.hasLookedThrough(interval.mark.id, model.leftOut.late());
    expect(looked()).toBe(false);
    await look(desk, open);
    expect([asked, looked()]).toEqual([[[2, 3], [4]], false]);
    screen.stepReview(1);
    expect(looked()).toBe(true);
    screen.live();
    expect(looked()).toBe(true);
    model.leftOut.add(late(41n));
    expect(looked()).toBe(false);
  });
  it('IsNotLookedThroughWherePartOfItDidNotComeOrWasNotAskedFor', async () => {
    const { desk, open, model } = make();
    answering(desk, '3 records more are on record.');
    await look(desk, open);
    open.screen.stepReview(1);
    expect(open.screen.hasLookedThrough(interval.mark.id, model.leftOut.late())).toBe(false);
    const asked = answering(desk);
    model.leftOut.lighter.value = true;
    await look(desk, open);
    open.screen.stepReview(1);
    expect([asked, open.screen.hasLookedThrough(interval.mark.id, model.leftOut.late())]).toEqual([[[2, 3]], false]);
  });
  it('IsNotLookedThroughOnceASnapshotCameAfterWhichNobodyKnowsWhatCameLateMeanwhile', async () => {
    const { desk, open, model } = make();
    answering(desk);
    const { screen } = open;
    const looked = () => screen.hasLookedThrough(interval.mark.id, model.leftOut.late());
    model.leftOut.add(late(40n));
    await look(desk, open);
    screen.stepReview(1);
    expect(looked()).toBe(true);
    model.onSnapshot(create(SnapshotSchema, {}));
    expect(looked()).toBe(false);
    // Nor is a look that was begun before it and ended after it.
    await look(desk, open);
    model.onSnapshot(create(SnapshotSchema, {}));
    screen.stepReview(1);
    expect(looked()).toBe(false);
    await look(desk, open);
    screen.stepReview(1);
    expect(looked()).toBe(true);
  });
  it('IsNotLookedThroughWhereNothingCameYet', async () => {
    const { desk, open, model } = make();
    Object.assign(desk, { history: { ask: async () => ({ records: [], error: undefined }) } });
    await look(desk, open);
    open.screen.stepReview(1);
    expect(open.screen.review.value!.steps).toEqual([]);
    expect(open.screen.hasLookedThrough(interval.mark.id, model.leftOut.late())).toBe(false);
  });
  it('IsTickedWithoutALookOnlyWithAReasonThatGoesOnRecordWithIt', async () => {
    const { desk, open, sent } = make();
    await tickUnseen(desk, open, interval, '10:41\u201310:52', ' ');
    await tickUnseen(desk, open, interval, '10:41\u201310:52', 'x'.repeat(MESSAGE_BYTES));
    expect(sent).toHaveLength(0);
    await tickUnseen(desk, open, interval, '10:41\u201310:52', 'seen on the screen in theatre');
    expect(sent.map((r) => r.body.case)).toEqual(['annotation', 'backlogReviewed']);
    expect(sent[0]!.body.value).toMatchObject({
      text: 'Backlog of 10:41\u201310:52 reviewed without looking through: seen on the screen in theatre', actor: 'Maya' });
    expect(idFrom((sent[0]!.body.value as { about: undefined }).about)).toBe(interval.mark.id);
  });
});

describe('Closing a case', () => {
  const steps = (sent: CaseRecord[]) => sent.map((r) => (r.body.case === 'caseLifecycle' ? r.body.value.transition : undefined));
  const settle = () => new Promise((resolve) => setTimeout(resolve));
  const comeTo = (desk: Desk, stage: CaseStage) => Object.assign(desk, { directory: { cases: signal(new Map([['aa', { stage }]])) } });
  // The agent says what it made.
  const total = (open: OpenCase, seq: bigint) =>
    open.model.apply(create(RecordSchema, { lane: 1, originSeq: seq, stamp: { seq }, body: { case: 'publisherTotal', value: {} } }));
  it('WaitsUntilAnAgentHasSaidWhatItMade', async () => {
    const { desk, open, sent } = make();
    const closed = closeCase(desk, open);
    await settle();
    expect(steps(sent)).toEqual([CaseTransition.CLOSING]);
    total(open, 9n);
    await closed;
    expect(steps(sent)).toEqual([CaseTransition.CLOSING, CaseTransition.CLOSED]);
  });
  it('SaysClosingFirstWhereTheCaseIsOpenWithAReasonToo', async () => {
    const { desk, open, sent } = make();
    const closed = closeCase(desk, open, 'The theatre computer was lost.');
    await settle();
    expect(steps(sent)).toEqual([CaseTransition.CLOSING]);
    total(open, 9n);
    await closed;
    expect(steps(sent)).toEqual([CaseTransition.CLOSING, CaseTransition.CLOSED]);
    expect(sent[1]!.body.value).toMatchObject({ withGaps: true, reason: 'The theatre computer was lost.' });
    comeTo(desk, CaseStage.CLOSING);
    await closeCase(desk, open);
    expect(steps(sent).slice(2)).toEqual([CaseTransition.CLOSED]);
  });
  it('GoesNoFartherWhereItsFirstStepWasSetAsideMeanwhile', async () => {
    const { desk, open, sent } = make();
    const closed = closeCase(desk, open);
    await settle();
    open.screen.cameToStage(undefined);
    total(open, 9n);
    await closed;
    expect(steps(sent)).toEqual([CaseTransition.CLOSING]);
  });
  it('WaitsNoLongerThanFiveSecondsForAnAgentThatIsNotThere', async () => {
    const { desk, open, sent, clock } = make();
    const closed = closeCase(desk, open);
    await settle();
    clock.advance(4_900);
    desk.beat.value++;
    await settle();
    expect(sent).toHaveLength(1);
    clock.advance(100);
    desk.beat.value++;
    await closed;
    expect(steps(sent)).toEqual([CaseTransition.CLOSING, CaseTransition.CLOSED]);
    comeTo(desk, CaseStage.CLOSING);
    await closeCase(desk, open, 'The theatre computer was lost.');
    expect(sent).toHaveLength(3);
  });
  it('IsSealedByName_OrOpenedAgainForAReasonThatFits', async () => {
    const { desk, open, sent, notices } = make();
    await takeStep(desk, open, CaseTransition.SEALED);
    await takeStep(desk, open, CaseTransition.REOPENED, 'x'.repeat(REASON_BYTES + 1));
    expect(steps(sent)).toEqual([CaseTransition.SEALED]);
    expect(notices).toHaveLength(1);
    await takeStep(desk, open, CaseTransition.REOPENED, 'The wound is opened again.');
    expect(steps(sent)).toEqual([CaseTransition.SEALED, CaseTransition.REOPENED]);
    expect(sent[1]!.body.value).toMatchObject({ actor: 'Maya', reason: 'The wound is opened again.' });
  });
  it('ThatWaitedIsAskedForAnewOnceBySomebodyWhoSaysSo', async () => {
    const { desk, open, sent } = make();
    let offered = true;
    Object.assign(comeTo(desk, CaseStage.CLOSING), { dropUnsent: async () => offered });
    const unsent = (transition: CaseTransition, more = {}) =>
      ({ step: create(CaseLifecycleSchema, { transition, actor: 'Ines', reason: 'lost', ...more }), askedAtMs: 1 }) as Unsent;
    await sendUnsent(desk, open, unsent(CaseTransition.SEALED), []);
    await sendUnsent(desk, open, unsent(CaseTransition.CLOSED, { withGaps: true }), []);
    offered = false;
    await sendUnsent(desk, open, unsent(CaseTransition.SEALED), []);
    expect(steps(sent)).toEqual([CaseTransition.SEALED, CaseTransition.CLOSED]);
    expect(sent[1]!.body.value).toMatchObject({ actor: 'Maya', withGaps: true, reason: 'lost' });
  });
  it('IsAskedForUntilItsStageChangesWhichClosingAloneDoesNot', async () => {
    const { desk, open } = make();
    const { screen } = open;
    screen.stepRefused.value = { text: 'wait', gaps: true };
    void closeCase(desk, open);
    expect([screen.stepAsked.value, screen.stepRefused.value]).toEqual([true, undefined]);
    screen.cameToStage(CaseStage.CLOSING);
    expect(screen.stepAsked.value).toBe(true);
    screen.cameToStage(CaseStage.CLOSED);
    expect(screen.stepAsked.value).toBe(false);
    await takeStep(desk, open, CaseTransition.SEALED);
    expect(screen.stepAsked.value).toBe(true);
    await takeStep(desk, open, CaseTransition.REOPENED, 'x'.repeat(REASON_BYTES + 1));
    screen.stepRefused.value = { text: 'the case cannot be sealed now', gaps: false };
    screen.cameToStage(CaseStage.SEALED);
    expect([screen.stepAsked.value, screen.stepRefused.value]).toEqual([false, undefined]);
  });
});
