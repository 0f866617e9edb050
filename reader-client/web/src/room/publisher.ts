// Publishes this page's records: numbers them without a gap, keeps them in the outbox until the hub
// has them on record, and offers them again, in order, after each join.

import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { fromHex, randomU64, toHex } from '../base/bytes.js';
import type { Clock } from '../base/clock.js';
import { msToNs } from '../base/format.js';
import { RecordSchema } from '../wire/generated/remora/v1/record_pb.js';
import type { Record as CaseRecord } from '../wire/generated/remora/v1/record_pb.js';
import { RecordRefusedSchema, RefusalReason } from '../wire/generated/remora/v1/room_pb.js';
import type { Down, LaneRanges, RecordRefused } from '../wire/generated/remora/v1/room_pb.js';
import { headKey, inMessages } from '../wire/outbox.js';
import type { OutboxStore, Waiting } from '../wire/outbox.js';
import type { Session, SessionListener } from '../wire/session.js';
import { setAside, toSetAside, unanswered } from '../wire/set_aside.js';
import type { Unsent } from '../wire/set_aside.js';

// The bodies that a page writes, and their lanes.
export const LANE_OF = {
  alertAction: 0, request: 0, message: 0, messageReceipt: 0, baselineSet: 1, annotation: 1, focus: 1,
  viewSeen: 1, backlogReviewed: 1, clockEstimate: 1, differential: 1, caseLifecycle: 1,
} as const;
export type BodyKind = keyof typeof LANE_OF;
type AnyBody = NonNullable<MessageInitShape<typeof RecordSchema>['body']>;
export type Body = Extract<AnyBody, { case: BodyKind }>;

export interface PublisherListener {
  // Durable here, on its way: shown as pending at once.
  onKept(record: CaseRecord): void;
  onRefused(refused: RecordRefused): void;
  // A step of this case that was never sent is not sent by itself any more; the outbox offers it.
  onSetAside?(caseHex: string): void;
}

// A join that was refused is asked again after so long.
const REJOIN_MS = 5_000;

export class Publisher implements SessionListener {
  // Why the hub does not let this page publish in a case, by case id in hex.
  readonly notAllowed = new Map<string, string>();
  // Why the hub does not take at present what this page, which may publish there, offers: it is shown
  // to others all the same (docs/protocol.md), and asked for again.
  readonly notNow = new Map<string, string>();
  private readonly originHex: string;
  readonly bootId = randomU64();
  private readonly heads = new Map<string, number>();
  private readonly waiting = new Map<string, Waiting>();
  private readonly wanted = new Set<string>();
  private readonly joined = new Set<string>();
  private readonly leaving = new Set<string>();
  private readonly askedAtMs = new Map<string, number>();
  // Counts sessions: what was begun in one is not finished in another.
  private welcomes = 0;
  private queue: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly session: Session, private readonly store: OutboxStore,
    private readonly origin: Uint8Array, private readonly clock: Clock,
    private readonly listener: PublisherListener) {
    this.originHex = toHex(origin);
  }

  static async create(
    session: Session, store: OutboxStore, origin: Uint8Array, clock: Clock,
    listener: PublisherListener): Promise<Publisher> {
    const publisher = new Publisher(session, store, origin, clock, listener);
    for (const [place, last] of await store.heads(publisher.originHex)) {
      publisher.heads.set(place, last);
    }
    for (const entry of await store.waiting(publisher.originHex)) {
      publisher.waiting.set(entry.id, entry);
      publisher.wanted.add(entry.caseId);
    }
    session.listen(publisher);
    return publisher;
  }

  get waitingCount(): number {
    return this.waiting.size;
  }

  // What this page wrote in the case that is not yet known to be on record, in order.
  waitingIn(caseHex: string): Waiting[] {
    return [...this.waiting.values()]
      .filter((e) => e.caseId === caseHex)
      .sort((a, b) => a.lane - b.lane || a.originSeq - b.originSeq);
  }

  // How many records of one kind wait.
  countWaiting(caseHex: string, kind: BodyKind): number {
    let count = 0;
    for (const e of this.waiting.values()) count += Number(e.caseId === caseHex && e.kind === kind);
    return count;
  }

  // Steps that were sent long ago, or by an earlier page, and that the hub has not answered.
  unansweredSteps(): Unsent[] {
    return unanswered([...this.waiting.values()], this.bootId, this.clock.now());
  }

  // Asks to publish in the case, now and after each reconnect.
  join(caseHex: string): void {
    this.leaving.delete(caseHex);
    this.wanted.add(caseHex);
    if (!this.joined.has(caseHex)) this.askToJoin(caseHex);
  }

  // When nothing waits any more.
  leave(caseHex: string): void {
    if (this.waitingIn(caseHex).length > 0) {
      this.leaving.add(caseHex);
      return;
    }
    this.leaving.delete(caseHex);
    this.wanted.delete(caseHex);
    if (this.joined.delete(caseHex)) {
      this.session.send({ control: { case: 'leave', value: { caseId: fromHex(caseHex) } } });
    }
  }

  // Resolves with the record when it is durable here; from then on it will reach the hub.
  publish(caseHex: string, body: Body): Promise<CaseRecord> {
    const run = this.queue.then(() => this.keep(caseHex, body));
    this.queue = run.catch(() => {});
    return run;
  }

  onWelcome(): void {
    this.joined.clear();
    this.askedAtMs.clear();
    this.notNow.clear();
    this.welcomes++;
    for (const caseHex of this.wanted) this.askToJoin(caseHex);
  }

  onDown(down: Down): void {
    const control = down.control;
    switch (control.case) {
      case 'joined': {
        const caseHex = toHex(control.value.caseId);
        this.joined.add(caseHex);
        this.notAllowed.delete(caseHex);
        this.notNow.delete(caseHex);
        for (const lane of [...control.value.held, ...control.value.refused]) {
          const place = headKey(caseHex, lane.lane);
          const last = Math.max(0, ...lane.ranges.map((r) => Number(r.last)));
          this.heads.set(place, Math.max(last, this.heads.get(place) ?? 0));
        }
        this.acknowledged(caseHex, control.value.held);
        this.refusedForGood(caseHex, control.value.refused);
        void this.offer(caseHex);
        break;
      }
      case 'acknowledge':
        this.acknowledged(toHex(control.value.caseId), control.value.held);
        this.refusedForGood(toHex(control.value.caseId), control.value.refused);
        break;
      case 'recordRefused':
        this.recordRefused(control.value);
        break;
      case 'refused': {
        if (control.value.followId !== 0 || control.value.requestId !== 0) break;
        const caseHex = toHex(control.value.caseId);
        if (!this.wanted.has(caseHex)) break;
        if (this.joined.has(caseHex) && control.value.reason === RefusalReason.TOO_MANY) {
          this.notNow.set(caseHex, control.value.text);
          break;
        }
        this.notAllowed.set(caseHex, control.value.text);
        break;
      }
      case 'heartbeat':
        for (const caseHex of this.wanted) if (!this.joined.has(caseHex)) this.askToJoin(caseHex);
        break;
    }
  }

  private async keep(caseHex: string, body: Body): Promise<CaseRecord> {
    const lane = LANE_OF[body.case];
    const place = headKey(caseHex, lane);
    const originSeq = (this.heads.get(place) ?? 0) + 1;
    const record = create(RecordSchema, {
      caseId: fromHex(caseHex),
      origin: this.origin,
      lane,
      originSeq: BigInt(originSeq),
      capturedAt: {
        bootId: this.bootId,
        monotonicNs: msToNs(this.clock.now()),
        wallUnixNs: msToNs(this.clock.wall()),
      },
      body,
    });
    const entry: Waiting = {
      id: `${this.originHex}/${lane}/${originSeq}`,
      origin: this.originHex, caseId: caseHex, lane, originSeq, kind: body.case,
      unsent: body.case === 'caseLifecycle',
      bytes: toBinary(RecordSchema, record),
    };
    // The same id may be used in several cases: the store's key names the case too.
    entry.id = `${caseHex}/${entry.id}`;
    await this.store.put(entry);
    this.heads.set(place, originSeq);
    this.waiting.set(entry.id, entry);
    this.wanted.add(caseHex);
    this.listener.onKept(record);
    if (!this.joined.has(caseHex)) this.askToJoin(caseHex);
    else if (entry.unsent) await this.sendStep(entry);
    else this.sendRecords([entry]);
    return record;
  }

  // All that waits, after a join. Steps that were never sent are set aside or marked before; what is kept meanwhile
  // waits behind them. A store that fails is tried again with the next join.
  private async offer(caseHex: string): Promise<void> {
    const welcome = this.welcomes;
    for (;;) {
      const waiting = this.waitingIn(caseHex);
      const aside = toSetAside(waiting, this.bootId, this.clock.now());
      const first = waiting.filter((e) => e.unsent && !aside.includes(e));
      if (aside.length + first.length === 0) break;
      this.joined.delete(caseHex);
      try {
        for (const note of await setAside(this.store, aside)) {
          this.waiting.set(note.id, note);
          this.listener.onKept(fromBinary(RecordSchema, note.bytes));
        }
        for (const entry of first) await this.markSent(entry);
      } catch {
        return;
      }
      if (aside.length > 0) this.listener.onSetAside?.(caseHex);
      if (welcome !== this.welcomes) return;
      this.joined.add(caseHex);
    }
    this.sendRecords(this.waitingIn(caseHex));
  }

  private async sendStep(entry: Waiting): Promise<void> {
    try {
      await this.markSent(entry);
    } catch {
      this.joined.delete(entry.caseId);
      return;
    }
    if (!this.joined.has(entry.caseId) || this.session.send({ records: [entry.bytes] })) return;
    // There was no link to hand it to. A store that does not take this has it for sent, which is safe.
    const again = { ...entry, unsent: true };
    this.waiting.set(entry.id, again);
    await this.store.replace(again).catch(() => {});
  }

  // Durable before it is sent: a page that comes later knows that the hub may have it.
  private async markSent(entry: Waiting): Promise<void> {
    const sent = { ...entry, unsent: false };
    await this.store.replace(sent);
    if (this.waiting.has(entry.id)) this.waiting.set(entry.id, sent);
  }

  private askToJoin(caseHex: string): void {
    const now = this.clock.now();
    if (now - (this.askedAtMs.get(caseHex) ?? -Infinity) < REJOIN_MS) return;
    if (this.session.send({ control: { case: 'join', value: { caseId: fromHex(caseHex) } } })) {
      this.askedAtMs.set(caseHex, now);
    }
  }

  private sendRecords(entries: Waiting[]): void {
    for (const records of inMessages(entries)) this.session.send({ records });
  }

  private acknowledged(caseHex: string, held: LaneRanges[]): void {
    this.forget(this.waitingWithin(caseHex, held));
  }

  private refusedForGood(caseHex: string, refused: LaneRanges[]): void {
    const done = this.waitingWithin(caseHex, refused);
    this.forget(done);
    for (const e of done) {
      this.listener.onRefused(create(RecordRefusedSchema, {
        caseId: fromHex(caseHex), lane: e.lane, originSeq: BigInt(e.originSeq), text: 'it is not on record.',
      }));
    }
  }

  private waitingWithin(caseHex: string, lanes: LaneRanges[]): Waiting[] {
    return this.waitingIn(caseHex).filter((e) =>
      lanes.some((lane) => lane.lane === e.lane && lane.ranges.some(
        (r) => BigInt(e.originSeq) >= r.first && BigInt(e.originSeq) <= r.last)));
  }

  private recordRefused(refused: RecordRefused): void {
    const caseHex = toHex(refused.caseId);
    switch (refused.reason) {
      case RefusalReason.OUT_OF_ORDER:
      case RefusalReason.TOO_MANY:
      case RefusalReason.DRAINING:
        // Not the record's fault: join again, learn what is held, and offer the rest in order.
        this.joined.delete(caseHex);
        return;
      default:
        this.forget(this.waitingIn(caseHex).filter(
          (e) => e.lane === refused.lane && BigInt(e.originSeq) === refused.originSeq));
        this.listener.onRefused(refused);
    }
  }

  private forget(entries: Waiting[]): void {
    if (entries.length === 0) return;
    for (const e of entries) this.waiting.delete(e.id);
    for (const caseHex of [...this.leaving]) this.leave(caseHex);
    void this.store.remove(entries).catch(() => {});
  }
}
