// Takes records from the session to the rooms. Lanes 0-2 go through at once; bulk waits for the
// frame in which it will be painted, and is reported as shown after it.

import { fromBinary } from '@bufbuild/protobuf';
import { toHex } from '../base/bytes.js';
import { RecordSchema } from '../wire/generated/remora/v1/record_pb.js';
import type { Record as CaseRecord } from '../wire/generated/remora/v1/record_pb.js';
import type { Down } from '../wire/generated/remora/v1/room_pb.js';
import { peekLane } from '../wire/peek.js';
import type { Session, SessionListener } from '../wire/session.js';

export type Deliver = (record: CaseRecord) => void;

// Lanes from here on are bulk and count for `Shown`.
const FIRST_BULK_LANE = 2;

export class Inbox implements SessionListener {
  unreadable = 0;
  private readonly rooms = new Map<string, Deliver>();
  private bulk: Uint8Array[] = [];
  private taken = 0;

  constructor(private readonly session: Session, private readonly wake: () => void) {
    session.listen(this);
  }

  register(caseHex: string, deliver: Deliver): void {
    this.rooms.set(caseHex, deliver);
  }

  unregister(caseHex: string): void {
    this.rooms.delete(caseHex);
  }

  onDown(down: Down): void {
    for (const bytes of down.records) {
      const lane = peekLane(bytes);
      // Measurements are light and carry the state: they do not wait for a frame, but they count.
      if (lane <= FIRST_BULK_LANE) this.deliver(bytes);
      if (lane === FIRST_BULK_LANE) this.taken += bytes.length;
      if (lane > FIRST_BULK_LANE) this.bulk.push(bytes);
    }
    if (down.records.length > 0) this.wake();
  }

  // What is left of an older session does not count for the new one.
  onWelcome(): void {
    this.takeBulk();
    this.taken = 0;
  }

  takeBulk(): void {
    const due = this.bulk;
    this.bulk = [];
    for (const bytes of due) {
      this.deliver(bytes);
      this.taken += bytes.length;
    }
  }

  reportShown(): void {
    if (this.taken > 0) this.session.shown(this.taken);
    this.taken = 0;
    this.session.flushShown();
  }

  private deliver(bytes: Uint8Array): void {
    const record = decode(bytes);
    if (!record) {
      this.unreadable++;
      return;
    }
    this.rooms.get(toHex(record.caseId))?.(record);
  }
}

export function decode(bytes: Uint8Array): CaseRecord | undefined {
  try {
    return fromBinary(RecordSchema, bytes);
  } catch {
    return undefined;
  }
}
