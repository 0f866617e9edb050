// What a person does in a case, as records. Nothing is sent from anywhere else.

import { effect } from '@preact/signals';
import { fromHex, utf8Length } from '../base/bytes.js';
import type { Record as CaseRecord } from '../wire/generated/remora/v1/record_pb.js';
import { idOf, toReference } from '../wire/record_id.js';
import type { Waiting } from '../wire/outbox.js';
import type { Id } from '../wire/record_id.js';
import type { Unsent } from '../wire/set_aside.js';
import { AlertActionKind, Place } from '../wire/generated/remora/v1/alert_pb.js';
import { BaselineKind, CaseStage, CaseTransition } from '../wire/generated/remora/v1/case_pb.js';
import { MessageKind, ReceiptKind, RequestState } from '../wire/generated/remora/v1/message_pb.js';
import type { AlertView } from './alerts.js';
import { isAcknowledged } from './alerts.js';
import { EMPTY_DRAFT } from './case_screen.js';
import type { Draft, Target, Undoable } from './case_screen.js';
import type { Desk, OpenCase } from './desk.js';
import type { Interval } from './intervals.js';
import { Review } from './review.js';
import type { ReviewedTime } from './review.js';
import type { MessageView } from './talk.js';
import type { Trace } from './traces.js';

// An acknowledgement can be taken back for so long.
export const UNDO_MS = 5_000;
// The contract's limits, in bytes of UTF-8.
export const MESSAGE_BYTES = 2_000;
export const REASON_BYTES = 1_000;
// On joining, receipts are sent for the newest messages only.
const RECEIPTS_AT_ONCE = 50;

// An alert as the actor has it before them: its id, and its newest record.
export interface SeenAlert {
  id: Id;
  seen: Id | undefined;
}
export const asSeen = (alert: AlertView): SeenAlert => ({ id: alert.id, seen: alert.latest.id });

export function act(
  desk: Desk, open: OpenCase, alert: SeenAlert, kind: AlertActionKind, place: Place, undone?: Id):
    Promise<CaseRecord | undefined> {
  return desk.publish(open.hex, {
    case: 'alertAction',
    value: {
      alert: toReference(alert.id), kind, place, actor: desk.displayName.value,
      seen: alert.seen ? toReference(alert.seen) : undefined,
      undone: undone ? toReference(undone) : undefined,
    },
  });
}

// What a person takes a change for; several may hold at once.
export function pickCauses(
  desk: Desk, open: OpenCase, alert: AlertView, ranking: Id, keys: readonly string[], words = ''):
    Promise<CaseRecord | undefined> {
  return desk.publish(open.hex, {
    case: 'differential',
    value: {
      what: {
        case: 'pick',
        value: {
          alert: toReference(alert.id), ranking: toReference(ranking), causeKey: [...keys], words,
          actor: desk.displayName.value,
        },
      },
    },
  });
}

export function answerRequest(
  desk: Desk, open: OpenCase, request: Id, state: RequestState, reason: string): Promise<CaseRecord | undefined> {
  return desk.publish(open.hex, {
    case: 'request',
    value: { request: toReference(request), state, reason, actor: desk.displayName.value },
  });
}

export async function acknowledge(desk: Desk, open: OpenCase, alert: AlertView, place: Place): Promise<void> {
  if (isAcknowledged(alert, place)) return;
  const record = await act(desk, open, asSeen(alert), AlertActionKind.ACKNOWLEDGED, place);
  if (!record) return;
  const { undoables } = open.screen;
  undoables.value = new Map(undoables.value)
    .set(alert.id, { action: idOf(record), untilMs: desk.clock.now() + UNDO_MS });
}

// The acknowledgement of this alert that may still be taken back.
export function undoable(desk: Desk, open: OpenCase, alert: Id): Undoable | undefined {
  const found = open.screen.undoables.value.get(alert);
  return found && desk.clock.now() <= found.untilMs ? found : undefined;
}

export async function undoAcknowledge(desk: Desk, open: OpenCase, alert: AlertView, place: Place): Promise<void> {
  const found = undoable(desk, open, alert.id);
  if (!found) return;
  const left = new Map(open.screen.undoables.value);
  left.delete(alert.id);
  open.screen.undoables.value = left;
  await act(desk, open, asSeen(alert), AlertActionKind.UNDONE, place, found.action);
}

// Sends the draft of the case. The reader's message about an alert is also on record as its
// communication.
export async function sendDraft(desk: Desk, open: OpenCase): Promise<void> {
  const draft = open.screen.draft.value;
  const text = draft.text.trim();
  if (text === '' || isTooLong(desk, text, MESSAGE_BYTES)) return;
  open.screen.write(EMPTY_DRAFT);
  const kept = await say(desk, open, { ...draft, text });
  if (!kept) {
    open.screen.write(draft);
    return;
  }
  if (draft.about && draft.kind === MessageKind.ALERT_CARD) {
    await act(desk, open, { id: draft.about, seen: draft.seen }, AlertActionKind.COMMUNICATED, Place.READER);
  }
}

export async function say(desk: Desk, open: OpenCase, draft: Draft, inReplyTo?: Id): Promise<CaseRecord | undefined> {
  if (isTooLong(desk, draft.text, MESSAGE_BYTES)) return undefined;
  return desk.publish(open.hex, {
    case: 'message',
    value: {
      kind: draft.kind, text: draft.text, urgent: draft.urgent, sender: desk.displayName.value,
      about: draft.about ? toReference(draft.about) : undefined,
      inReplyTo: inReplyTo ? toReference(inReplyTo) : undefined,
    },
  });
}

export async function annotate(
  desk: Desk, open: OpenCase, target: Target, text: string): Promise<CaseRecord | undefined> {
  if (isTooLong(desk, text.trim(), MESSAGE_BYTES)) return undefined;
  return desk.publish(open.hex, {
    case: 'annotation',
    value: {
      text: text.trim(),
      about: target.about ? toReference(target.about) : undefined,
      traceId: target.traceId, atLatencyMs: target.atLatencyMs ?? 0,
      hasPlace: target.atLatencyMs !== undefined, actor: desk.displayName.value,
    },
  });
}

export async function setBaseline(
  desk: Desk, open: OpenCase, trace: Trace, kind: BaselineKind, reason: string): Promise<CaseRecord | undefined> {
  const sweep = trace.finished[trace.finished.length - 1];
  if (!sweep || reason.trim() === '' || isTooLong(desk, reason.trim(), REASON_BYTES)) return undefined;
  return desk.publish(open.hex, {
    case: 'baselineSet',
    value: {
      traceId: trace.id, kind, sweeps: [toReference(sweep.mark.id)], reason: reason.trim(),
      actor: desk.displayName.value,
    },
  });
}

// What a look back asks for: measurements and sweeps, then the EMG's envelopes; each within what a page takes.
const REVIEW_LANES = [[2, 3], [4]];

// Fetches what is on record of a time that was not, or not wholly, seen here, and shows it. `interval`: which
// may be ticked once it was looked through.
export async function lookThrough(
  desk: Desk, open: OpenCase, time: ReviewedTime, fromSeq: bigint, toSeq: bigint, interval?: Id): Promise<void> {
  const { screen, model } = open;
  screen.asking.value = true;
  const late = model.leftOut.late();
  // A screen that is set lighter asks for no EMG here either.
  const lanes = model.leftOut.lighter.value ? REVIEW_LANES.slice(0, 1) : REVIEW_LANES;
  const records: CaseRecord[] = [];
  const errors = lanes.length < REVIEW_LANES.length ? [NO_EMG] : [];
  for (const some of lanes) {
    const answer = await desk.history.ask(fromHex(open.hex), some, fromSeq, toSeq);
    records.push(...answer.records);
    if (answer.error) errors.push(answer.error);
  }
  screen.asking.value = false;
  screen.held.value = undefined;
  screen.review.value = new Review(model, records, time, errors.join(' ') || undefined, interval, late);
  screen.noteLookedThrough();
}
const NO_EMG = 'No EMG was fetched: this screen is set lighter.';

export const tickReviewed = (desk: Desk, open: OpenCase, interval: Interval): Promise<CaseRecord | undefined> =>
  desk.publish(open.hex, {
    case: 'backlogReviewed', value: { interval: toReference(interval.mark.id), actor: desk.displayName.value },
  });

// Without having looked: why goes on record with it, on the interval.
export async function tickUnseen(desk: Desk, open: OpenCase, interval: Interval, when: string, reason: string): Promise<void> {
  const text = `Backlog of ${when} reviewed without looking through: ${reason.trim()}`;
  if (reason.trim() === '' || isTooLong(desk, text, MESSAGE_BYTES)) return;
  const target = { words: '', about: interval.mark.id, traceId: '', atLatencyMs: undefined };
  if (await annotate(desk, open, target, text)) await tickReviewed(desk, open, interval);
}

// An agent says what it made, as its last word, when it learns that the case is closing. One that is not there
// says nothing: the hub knows that.
const TOTAL_WAIT_MS = 5_000;

function totalSaid(desk: Desk, open: OpenCase): Promise<void> {
  const before = open.model.totals.value;
  const sinceMs = desk.clock.now();
  return new Promise((resolve) => {
    const stop = effect(() => {
      void desk.beat.value;
      if (open.model.totals.value === before && desk.clock.now() - sinceMs < TOTAL_WAIT_MS) return;
      resolve();
      queueMicrotask(() => stop());
    });
  });
}

// As the hub has the case.
const stageOf = (desk: Desk, open: OpenCase): CaseStage | undefined =>
  (desk.directory.cases.value.get(open.hex) ?? open.model.summary.value)?.stage;

// CLOSING, then CLOSED: the hub closes a case whose records are all there, and none that is not CLOSING. `reason`:
// although some are not.
export async function closeCase(desk: Desk, open: OpenCase, reason?: string): Promise<void> {
  if (reason !== undefined && isTooLong(desk, reason, REASON_BYTES)) return;
  open.screen.askedForStep();
  const actor = desk.displayName.value;
  if (stageOf(desk, open) !== CaseStage.CLOSING) {
    await desk.publish(open.hex, { case: 'caseLifecycle', value: { transition: CaseTransition.CLOSING, actor } });
    await totalSaid(desk, open);
    // CLOSING was set aside meanwhile: nothing is asked for any more.
    if (!open.screen.stepAsked.value) return;
  }
  await desk.askStep(open.hex, { case: 'caseLifecycle', value: {
    transition: CaseTransition.CLOSED, actor, withGaps: reason !== undefined, reason: reason ?? '' } });
}

// A step of a case that is closed: sealed, or opened again for a reason.
export async function takeStep(desk: Desk, open: OpenCase, transition: CaseTransition, reason = ''): Promise<void> {
  if (isTooLong(desk, reason, REASON_BYTES)) return;
  open.screen.askedForStep();
  await desk.askStep(open.hex, { case: 'caseLifecycle', value: { transition, actor: desk.displayName.value, reason } });
}

// A step that waited since an earlier time, by somebody who says so now: as if it were asked for now.
export async function sendUnsent(desk: Desk, open: OpenCase, { step }: Unsent, all: Waiting[]): Promise<void> {
  if (!(await desk.dropUnsent(all))) return;
  if (step.transition === CaseTransition.CLOSING || step.transition === CaseTransition.CLOSED) {
    await closeCase(desk, open, step.withGaps ? step.reason : undefined);
  } else {
    await takeStep(desk, open, step.transition, step.reason);
  }
}

export const isMine = (desk: Desk, m: MessageView): boolean => m.message.sender === desk.displayName.value;

// Receipts that this page owes: each message of somebody else arrived here.
export function sendDelivered(desk: Desk, open: OpenCase): void {
  const me = desk.displayName.value;
  for (const m of open.model.talk.list().slice(-RECEIPTS_AT_ONCE)) {
    if (isMine(desk, m) || m.mark.pending) continue;
    receipt(desk, open, m, ReceiptKind.DELIVERED, me);
  }
}

// A person saw it.
export function sendRead(desk: Desk, open: OpenCase, m: MessageView): void {
  if (!isMine(desk, m)) receipt(desk, open, m, ReceiptKind.READ, desk.displayName.value);
}

const owed = new Set<string>();

function receipt(desk: Desk, open: OpenCase, m: MessageView, kind: ReceiptKind, recipient: string): void {
  if (open.model.talk.hasReceipt(m.mark.id, kind, recipient)) return;
  const key = `${open.hex}/${m.mark.id}/${kind}/${recipient}`;
  if (owed.has(key)) return;
  owed.add(key);
  void desk.publish(open.hex, {
    case: 'messageReceipt', value: { message: toReference(m.mark.id), kind, recipient },
  });
}

// Nothing that a person wrote is cut off: it goes whole, or it does not go.
function isTooLong(desk: Desk, text: string, bytes: number): boolean {
  const over = utf8Length(text) - bytes;
  if (over > 0) desk.notify(`This is ${over} bytes too long and was not sent.`);
  return over > 0;
}
