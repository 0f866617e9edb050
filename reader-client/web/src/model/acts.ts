// What a person does in a case, as records. Nothing is sent from anywhere else.

import { toReference } from '../wire/record_id.js';
import type { Id } from '../wire/record_id.js';
import { AlertActionKind, Place } from '../wire/generated/remora/v1/alert_pb.js';
import { BaselineKind } from '../wire/generated/remora/v1/case_pb.js';
import { MessageKind, ReceiptKind } from '../wire/generated/remora/v1/message_pb.js';
import type { AlertView } from './alerts.js';
import { isAcknowledged } from './alerts.js';
import { EMPTY_DRAFT } from './case_screen.js';
import type { Draft, Target } from './case_screen.js';
import type { Desk, OpenCase } from './desk.js';
import type { MessageView } from './talk.js';
import type { Trace } from './traces.js';

// An acknowledgement can be taken back for so long.
export const UNDO_MS = 5_000;
// The contract's limits, in bytes of UTF-8.
const MESSAGE_BYTES = 2_000;
const REASON_BYTES = 1_000;
// On joining, receipts are sent for the newest messages only.
const RECEIPTS_AT_ONCE = 50;

export function act(desk: Desk, open: OpenCase, alert: Id, kind: AlertActionKind, place: Place, reason = ''):
    Promise<unknown> {
  return desk.publish(open.hex, {
    case: 'alertAction',
    value: {
      alert: toReference(alert), kind, place, reason: clip(reason, REASON_BYTES),
      actor: desk.displayName.value,
    },
  });
}

export function acknowledge(desk: Desk, open: OpenCase, alert: AlertView, place: Place): void {
  if (isAcknowledged(alert, place)) return;
  void act(desk, open, alert.id, AlertActionKind.ACKNOWLEDGED, place);
  open.screen.undoable.value = { alert: alert.id, untilMs: desk.clock.now() + UNDO_MS };
}

export function undoAcknowledge(desk: Desk, open: OpenCase, place: Place): void {
  const undoable = open.screen.undoable.value;
  if (!undoable || desk.clock.now() > undoable.untilMs) return;
  open.screen.undoable.value = undefined;
  void act(desk, open, undoable.alert, AlertActionKind.UNDONE, place);
}

// Sends the draft of the case. The reader's message about an alert is also on record as its
// communication.
export async function sendDraft(desk: Desk, open: OpenCase): Promise<void> {
  const draft = open.screen.draft.value;
  const text = draft.text.trim();
  if (text === '') return;
  open.screen.write(EMPTY_DRAFT);
  const kept = await say(desk, open, { ...draft, text });
  if (!kept) {
    open.screen.write(draft);
    return;
  }
  if (draft.about && draft.kind === MessageKind.ALERT_CARD) {
    void act(desk, open, draft.about, AlertActionKind.COMMUNICATED, Place.READER);
  }
}

export function say(desk: Desk, open: OpenCase, draft: Draft, inReplyTo?: Id): Promise<unknown> {
  return desk.publish(open.hex, {
    case: 'message',
    value: {
      kind: draft.kind, text: clip(draft.text, MESSAGE_BYTES), urgent: draft.urgent,
      sender: desk.displayName.value,
      about: draft.about ? toReference(draft.about) : undefined,
      inReplyTo: inReplyTo ? toReference(inReplyTo) : undefined,
    },
  });
}

export function annotate(desk: Desk, open: OpenCase, target: Target, text: string): Promise<unknown> {
  return desk.publish(open.hex, {
    case: 'annotation',
    value: {
      text: clip(text.trim(), MESSAGE_BYTES),
      about: target.about ? toReference(target.about) : undefined,
      traceId: target.traceId, atLatencyMs: target.atLatencyMs ?? 0,
      hasPlace: target.atLatencyMs !== undefined, actor: desk.displayName.value,
    },
  });
}

export function setBaseline(
  desk: Desk, open: OpenCase, trace: Trace, kind: BaselineKind, reason: string): Promise<unknown> | undefined {
  const sweep = trace.finished[trace.finished.length - 1];
  if (!sweep || reason.trim() === '') return undefined;
  return desk.publish(open.hex, {
    case: 'baselineSet',
    value: {
      traceId: trace.id, kind, sweeps: [toReference(sweep.mark.id)], reason: clip(reason.trim(), REASON_BYTES),
      actor: desk.displayName.value,
    },
  });
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

// Cuts to so many bytes of UTF-8, never within a character.
export function clip(text: string, bytes: number): string {
  const encoder = new TextEncoder();
  if (encoder.encode(text).length <= bytes) return text;
  let out = '';
  let used = 0;
  for (const character of text) {
    used += encoder.encode(character).length;
    if (used > bytes) break;
    out += character;
  }
  return out;
}
