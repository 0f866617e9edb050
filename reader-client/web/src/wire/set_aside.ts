// A step of a case (close, seal, open again) that could not be sent when it was asked for is not to come true
// some time later, when a page happens to come back: the person is asked again. An origin's numbers are dense, so a
// note that says so takes the step's number, and what comes behind it goes as it does.
// One that was ever sent may be in the hub's ledger, not yet committed, and one number never has two contents: it is
// offered again as it is, and what becomes of it the hub says.

import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { dayAndTime, nsToMs } from '../base/format.js';
import { AnnotationSchema, CaseTransition } from './generated/remora/v1/case_pb.js';
import type { CaseLifecycle } from './generated/remora/v1/case_pb.js';
import { RecordSchema } from './generated/remora/v1/record_pb.js';
import type { Record as CaseRecord } from './generated/remora/v1/record_pb.js';
import type { OutboxStore, Waiting } from './outbox.js';

// A step that this very page asked for is still meant after a short loss of its link.
export const MEANT_MS = 60_000;

export const STEP_WORD: Partial<Record<CaseTransition, string>> = {
  [CaseTransition.CLOSING]: 'close this case', [CaseTransition.CLOSED]: 'close this case',
  [CaseTransition.SEALED]: 'seal this case', [CaseTransition.REOPENED]: 'open this case again',
};

// A step that waits: to be sent or dropped, or for the hub's answer.
export interface Unsent {
  entry: Waiting;
  step: CaseLifecycle;
  // By the clock of the machine.
  askedAtMs: number;
}

function read(bytes: Uint8Array): CaseRecord | undefined {
  try {
    return fromBinary(RecordSchema, bytes);
  } catch {
    return undefined;
  }
}

export function unsentOf(entry: Waiting): Unsent | undefined {
  const record = read(entry.bytes);
  if (record?.body.case !== 'caseLifecycle') return undefined;
  return { entry, step: record.body.value, askedAtMs: nsToMs(record.capturedAt?.wallUnixNs ?? 0n) };
}

// Of another page, or of this one (`bootId`) long ago; undefined: no step.
function isStale(entry: Waiting, bootId: bigint | undefined, nowMs: number): boolean | undefined {
  if (entry.kind !== undefined && entry.kind !== 'caseLifecycle') return undefined;
  const record = read(entry.bytes);
  if (record?.body.case !== 'caseLifecycle') return undefined;
  const at = record.capturedAt;
  return bootId === undefined || at?.bootId !== bootId || nowMs - nsToMs(at.monotonicNs) > MEANT_MS;
}

// Of one case's entries the steps that were never sent, once any of its steps is stale: CLOSED means nothing
// without the CLOSING before it.
export function toSetAside(entries: Waiting[], bootId: bigint | undefined, nowMs: number): Waiting[] {
  if (!entries.some((e) => isStale(e, bootId, nowMs))) return [];
  return entries.filter((e) => e.unsent && isStale(e, bootId, nowMs) !== undefined);
}

// Stale steps that were sent: the hub has not said what becomes of them.
export function unanswered(entries: Waiting[], bootId: bigint | undefined, nowMs: number): Unsent[] {
  return entries.filter((e) => !e.unsent && isStale(e, bootId, nowMs)).map((e) => unsentOf(e)!);
}

// What takes its number.
function noteOf(entry: Waiting): Uint8Array {
  const record = read(entry.bytes)!;
  const { step, askedAtMs } = unsentOf(entry)!;
  const text = `Not sent when it was asked for, and not done: ${STEP_WORD[step.transition] ?? 'a step of the case'} (asked ${dayAndTime(askedAtMs)}).`;
  record.body = { case: 'annotation', value: create(AnnotationSchema, { text, actor: step.actor }) };
  return toBinary(RecordSchema, record);
}

// Durable when it resolves: the step among what is offered, the note in its place.
export async function setAside(store: OutboxStore, entries: Waiting[]): Promise<Waiting[]> {
  const notes: Waiting[] = [];
  for (const entry of entries) {
    const note: Waiting = { ...entry, kind: 'annotation', unsent: false, bytes: noteOf(entry) };
    await store.setAside(note, { ...entry, id: `offered/${entry.id}`, kind: 'offered' });
    notes.push(note);
  }
  return notes;
}

// Of each case the last step that was asked for, with those before it.
export function lastOfEach(offered: Waiting[]): { last: Unsent; all: Waiting[] }[] {
  const found = new Map<string, { last: Unsent; all: Waiting[] }>();
  for (const entry of offered) {
    const unsent = unsentOf(entry);
    if (!unsent) continue;
    const known = found.get(entry.caseId);
    found.set(entry.caseId, {
      last: known && known.last.askedAtMs > unsent.askedAtMs ? known.last : unsent, all: [...(known?.all ?? []), entry],
    });
  }
  return [...found.values()];
}
