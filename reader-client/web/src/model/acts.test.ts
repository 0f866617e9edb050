import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { signal } from '@preact/signals';
import { describe, expect, it } from 'vitest';
import { FakeClock } from '../base/clock.js';
import type { Body } from '../room/publisher.js';
import { AlertActionKind, AlertCondition, AlertPriority, Place } from '../wire/generated/remora/v1/alert_pb.js';
import type { AlertAction } from '../wire/generated/remora/v1/alert_pb.js';
import { CaseStage, CaseTransition } from '../wire/generated/remora/v1/case_pb.js';
import { MessageKind } from '../wire/generated/remora/v1/message_pb.js';
import { RecordSchema } from '../wire/generated/remora/v1/record_pb.js';
import type { Record as CaseRecord } from '../wire/generated/remora/v1/record_pb.js';
import { idFrom, idOf, toReference } from '../wire/record_id.js';
import { acknowledge, closeCase, MESSAGE_BYTES, REASON_BYTES, say, sendDraft, takeStep, undoable, undoAcknowledge } from './acts.js';
import { isAcknowledged } from './alerts.js';
import { CaseModel } from './case_model.js';
import { CaseScreen, EMPTY_DRAFT } from './case_screen.js';
import type { Desk, OpenCase } from './desk.js';

function make() {
  const clock = new FakeClock();
  const model = new CaseModel();
  const notices: string[] = [];
  const sent: CaseRecord[] = [];
  let number = 0n;
  const desk = {
    clock, beat: signal(0), displayName: signal('Maya'), notify: (text: string) => notices.push(text),
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

describe('Closing a case', () => {
  const steps = (sent: CaseRecord[]) => sent.map((r) => (r.body.case === 'caseLifecycle' ? r.body.value.transition : undefined));
  const settle = () => new Promise((resolve) => setTimeout(resolve));
  it('WaitsUntilAnAgentHasSaidWhatItMade', async () => {
    const { desk, open, sent } = make();
    const closed = closeCase(desk, open, false);
    await settle();
    expect(steps(sent)).toEqual([CaseTransition.CLOSING]);
    open.model.apply(create(RecordSchema, { lane: 1, originSeq: 9n, stamp: { seq: 9n }, body: { case: 'publisherTotal', value: {} } }));
    await closed;
    expect(steps(sent)).toEqual([CaseTransition.CLOSING, CaseTransition.CLOSED]);
  });
  it('WaitsNoLongerThanFiveSecondsForAnAgentThatIsNotThere', async () => {
    const { desk, open, sent, clock } = make();
    const closed = closeCase(desk, open, false);
    await settle();
    clock.advance(4_900);
    desk.beat.value++;
    await settle();
    expect(sent).toHaveLength(1);
    clock.advance(100);
    desk.beat.value++;
    await closed;
    expect(steps(sent)).toEqual([CaseTransition.CLOSING, CaseTransition.CLOSED]);
    await closeCase(desk, open, true, 'The theatre computer was lost.');
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
  it('IsAskedForUntilItsStageChangesWhichClosingAloneDoesNot', async () => {
    const { desk, open } = make();
    const { screen } = open;
    screen.stepRefused.value = { text: 'wait', gaps: true };
    void closeCase(desk, open, false);
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
