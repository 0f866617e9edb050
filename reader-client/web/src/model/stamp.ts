// What a screen must know of every record besides its body.

import { toHex } from '../base/bytes.js';
import { nsToMs } from '../base/format.js';
import type { Record as CaseRecord } from '../wire/generated/remora/v1/record_pb.js';
import { idOf } from '../wire/record_id.js';
import type { Id } from '../wire/record_id.js';

export interface Mark {
  id: Id;
  seq: bigint;
  // The hub's time in ms since 1970; before there is one, this machine's.
  atMs: number;
  // Shown, but the journal could not take it yet.
  unrecorded: boolean;
  // Written here and not yet on record.
  pending: boolean;
}

// Whose clock a record's monotonic times are of: one boot of one origin.
export const bootOf = (record: CaseRecord): string => `${toHex(record.origin)}/${record.capturedAt?.bootId ?? 0n}`;

export function markOf(record: CaseRecord): Mark {
  const stamp = record.stamp;
  return {
    id: idOf(record),
    seq: stamp?.seq ?? 0n,
    atMs: nsToMs(stamp?.recordedUnixNs ?? record.capturedAt?.wallUnixNs ?? 0n),
    unrecorded: stamp?.unrecorded ?? false,
    pending: stamp === undefined,
  };
}

// A record that is known already is only replaced by one that knows more: on record over
// unrecorded over pending.
export function better(now: Mark, before: Mark | undefined): boolean {
  const rank = (m: Mark) => (m.pending ? 0 : m.unrecorded ? 1 : 2);
  return !before || rank(now) > rank(before);
}

// In the order of the record; where one has no place there, in the order of their origin; else what
// is not on record yet comes last.
export function byOrder(a: Mark, b: Mark): number {
  if (a.seq !== 0n && b.seq !== 0n) return a.seq < b.seq ? -1 : a.seq > b.seq ? 1 : 0;
  if (a.id === b.id) return 0;
  const [ofA, ofB] = [a.id.lastIndexOf('/'), b.id.lastIndexOf('/')];
  if (a.id.slice(0, ofA) === b.id.slice(0, ofB)) return Number(a.id.slice(ofA + 1)) - Number(b.id.slice(ofB + 1));
  if (a.seq !== b.seq) return a.seq === 0n ? 1 : -1;
  return a.atMs - b.atMs;
}
