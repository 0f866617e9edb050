// One follow of one case: asks again after each welcome from where it was, and after a wait when the
// hub ended it; keeps the cursor, drops what it has already, and hands records on in the order in
// which they come.

import type { RecordingCondition } from '../wire/generated/remora/v1/link_pb.js';
import { nsToMs } from '../base/format.js';
import type { CaseHead, Cursor, Down, Gap, Snapshot } from '../wire/generated/remora/v1/room_pb.js';
import { CursorSchema, Delivery } from '../wire/generated/remora/v1/room_pb.js';
import type { Record as CaseRecord } from '../wire/generated/remora/v1/record_pb.js';
import type { Session, SessionListener } from '../wire/session.js';
import { create } from '@bufbuild/protobuf';
import { equalBytes, toHex } from '../base/bytes.js';
import type { Clock } from '../base/clock.js';
import type { Inbox } from './inbox.js';

export interface RoomListener {
  onSnapshot(snapshot: Snapshot): void;
  onRecord(record: CaseRecord): void;
  onGap(gap: Gap): void;
  // Whether what comes now is on record; `sinceMs` on the hub's clock.
  onRecording(condition: RecordingCondition, sinceMs: number, cause: string): void;
  // The case is not followed, in words why: until the next snapshot.
  onEnded(cause: string): void;
}

// A follow that ended is asked for again after these, doubled each time.
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

// What a lighter screen asks for: alerts, events and measurements whole, sweeps within a budget that a
// link of 64 kbit/s carries beside them, no EMG.
const LIGHTER_LANES = [0, 1, 2, 3];
const LIGHTER_BYTES_PER_SECOND = 6_000;

let lastFollowId = 0;
export const newFollowId = (): number => ++lastFollowId;

export class CaseRoom implements SessionListener {
  readonly caseHex: string;
  head: CaseHead | undefined;
  private followId = newFollowId();
  private stopListening: (() => void) | undefined;
  private epoch = 0;
  private known = false;
  // When to ask again; undefined while the follow stands or is asked for.
  private againAtMs: number | undefined;
  private isLighter = false;
  private endings = 0;
  // Last seq that was handed on, by lane.
  private readonly last: bigint[] = [0n, 0n, 0n, 0n, 0n, 0n];

  constructor(
    private readonly session: Session, private readonly inbox: Inbox,
    readonly caseId: Uint8Array, private readonly listener: RoomListener,
    private readonly clock: Clock, private readonly random: () => number) {
    this.caseHex = toHex(caseId);
  }

  open(): void {
    this.inbox.register(this.caseHex, (record) => this.take(record));
    this.stopListening = this.session.listen(this);
    if (this.session.state === 'open') this.follow();
  }

  close(): void {
    this.stopListening?.();
    this.inbox.unregister(this.caseHex);
    this.session.send({ control: { case: 'cancelFollow', value: { followId: this.followId } } });
  }

  onWelcome(): void {
    this.inbox.takeBulk();
    this.follow();
  }

  onDown(down: Down): void {
    const control = down.control;
    switch (control.case) {
      case 'snapshot':
        if (control.value.followId === this.followId) this.restart(control.value);
        break;
      case 'gap':
        if (control.value.followId === this.followId) this.listener.onGap(control.value);
        break;
      case 'followEnded':
        if (control.value.followId === this.followId) this.ended(control.value.cause);
        break;
      case 'refused':
        if (control.value.followId === this.followId) this.ended(control.value.text);
        break;
      case 'recording':
        if (!equalBytes(control.value.caseId, this.caseId)) break;
        this.listener.onRecording(control.value.condition, nsToMs(control.value.sinceUnixNs), control.value.cause);
        break;
      case 'heartbeat': {
        const head = control.value.heads.find((h) => equalBytes(h.caseId, this.caseId));
        if (!head) break;
        this.head = head;
        // A hub of version 1 says nothing of it.
        if (head.recording !== 0) this.listener.onRecording(head.recording, 0, '');
        break;
      }
    }
    if (this.againAtMs !== undefined && this.clock.now() >= this.againAtMs) this.follow();
  }

  // Asks for less, or for everything again: anew from a snapshot, since the lanes are others.
  setLighter(lighter: boolean): void {
    if (lighter === this.isLighter) return;
    this.isLighter = lighter;
    this.known = false;
    this.session.send({ control: { case: 'cancelFollow', value: { followId: this.followId } } });
    this.followId = newFollowId();
    if (this.session.state === 'open') this.follow();
  }

  cursor(): Cursor | undefined {
    if (!this.known) return undefined;
    return create(CursorSchema, {
      epoch: this.epoch,
      lanes: this.last.map((seq, lane) => ({ lane, seq, digest: 0n })),
    });
  }

  // What was missed since is only whole again with a snapshot.
  private ended(cause: string): void {
    this.known = false;
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(this.endings, 10));
    this.endings++;
    this.againAtMs = this.clock.now() + wait * (0.5 + 0.5 * this.random());
    this.listener.onEnded(cause);
  }

  private follow(): void {
    this.againAtMs = undefined;
    this.session.send({
      control: {
        case: 'follow',
        value: {
          followId: this.followId,
          target: { case: 'caseId', value: this.caseId },
          delivery: Delivery.LIVE,
          cursor: this.cursor(),
          ...(this.isLighter ? { lanes: LIGHTER_LANES, bulkBudgetBytesPerSecond: LIGHTER_BYTES_PER_SECOND } : {}),
        },
      },
    });
  }

  private restart(snapshot: Snapshot): void {
    this.known = true;
    this.endings = 0;
    this.againAtMs = undefined;
    this.epoch = snapshot.cursor?.epoch ?? 0;
    this.last.fill(0n);
    for (const lane of snapshot.cursor?.lanes ?? []) {
      if (lane.lane < this.last.length) this.last[lane.lane] = lane.seq;
    }
    this.listener.onSnapshot(snapshot);
  }

  private take(record: CaseRecord): void {
    const stamp = record.stamp;
    if (record.lane >= this.last.length) return;
    if (stamp && !stamp.unrecorded && stamp.seq > 0n) {
      if (this.known && stamp.epoch !== this.epoch) {
        // The journal has gone back: numbers of two epochs do not compare.
        this.session.send({ control: { case: 'cancelFollow', value: { followId: this.followId } } });
        this.ended('The hub\u2019s journal has gone back.');
        return;
      }
      if (!this.known && this.againAtMs !== undefined) return;
      if (stamp.epoch === this.epoch && stamp.seq <= this.last[record.lane]!) return;
      if (this.epoch === 0 && !this.known) this.epoch = stamp.epoch;
      if (stamp.epoch === this.epoch) this.last[record.lane] = stamp.seq;
    }
    this.listener.onRecord(record);
  }
}
