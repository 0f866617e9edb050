// What closed tabs of this browser wrote and the hub does not have yet: published under the origin
// it was written with, one origin after the other, each in a session of its own, while its lock is
// held. What the hub keeps out of a case stays in the outbox for another time; of a case that the hub
// has archived that time does not come, and its writer is told.

import { create } from '@bufbuild/protobuf';
import { fromHex, toHex } from '../base/bytes.js';
import { RecordRefusedSchema, RefusalReason } from './generated/remora/v1/room_pb.js';
import type { Down, LaneRanges, RecordRefused } from './generated/remora/v1/room_pb.js';
import type { Claim } from './origin.js';
import { inMessages } from './outbox.js';
import type { OutboxStore, Waiting } from './outbox.js';
import { Session } from './session.js';
import { setAside, toSetAside } from './set_aside.js';
import type { SessionListener, SessionParts } from './session.js';

// A join or a record that was put off is tried again after so long.
const AGAIN_MS = 5_000;

const PUT_OFF: ReadonlySet<RefusalReason> = new Set(
  [RefusalReason.OUT_OF_ORDER, RefusalReason.TOO_MANY, RefusalReason.DRAINING]);

export interface LeftOverParts extends Omit<SessionParts, 'origin'> {
  identity: string;
  // The origin of this page, in hex: its own session publishes for that.
  own: string;
  store: OutboxStore;
  claim: Claim;
  onRefused: (refused: RecordRefused) => void;
  // A step of a case that was never sent is offered to the person, and not sent (set_aside.ts).
  onSetAside: () => void;
  // Once a case and page.
  onArchived: (kept: KeptOut) => void;
}

// What the hub takes no more, and why. It stays in the outbox.
export interface KeptOut {
  caseHex: string;
  text: string;
  records: Uint8Array[];
}

export class LeftOver {
  private readonly told = new Set<string>();
  private running: Promise<void> | undefined;
  private current: Session | undefined;
  private stopped = false;

  constructor(private readonly parts: LeftOverParts) {}

  // Resolves when each origin that could be claimed has been gone through. Call it again later:
  // other tabs may have closed meanwhile.
  publish(): Promise<void> {
    this.running ??= this.run().finally(() => {
      this.running = undefined;
    });
    return this.running;
  }

  stop(): void {
    this.stopped = true;
    this.current?.stop();
  }

  private async run(): Promise<void> {
    for (const origin of await this.parts.store.originsWithWaiting(this.parts.identity)) {
      if (this.stopped) return;
      if (origin === this.parts.own || !(await this.parts.claim(origin))) continue;
      await this.publishFor(origin, await this.parts.store.waiting(origin));
    }
  }

  private publishFor(origin: string, entries: Waiting[]): Promise<void> {
    return new Promise((resolve) => {
      const { clock, store, onRefused } = this.parts;
      const onArchived = (kept: KeptOut) => {
        const key = `${origin}/${kept.caseHex}`;
        if (!this.told.has(key)) this.parts.onArchived(kept);
        this.told.add(key);
      };
      const session = new Session({ ...this.parts, origin: fromHex(origin) });
      this.current = session;
      const remove = (done: Waiting[]) => void store.remove(done).catch(() => {});
      const aside = async (steps: Waiting[]) => {
        const notes = await setAside(store, steps);
        this.parts.onSetAside();
        return notes;
      };
      const delivery = new Delivery(session, entries, clock, { remove, aside, onRefused, onArchived });
      session.listen(delivery);
      session.listen({
        onDown: () => {
          if (delivery.isOver) session.stop();
        },
        onState: (state) => {
          if (state === 'refused') session.stop();
          if (state === 'stopped') resolve();
        },
      });
      session.start();
    });
  }
}

// What one origin has left, by case.
class Delivery implements SessionListener {
  private readonly cases = new Map<string, Waiting[]>();
  private readonly joined = new Set<string>();
  private askedAtMs = 0;

  constructor(
    private readonly session: Session, entries: Waiting[], private readonly clock: SessionParts['clock'],
    private readonly out: {
      remove: (done: Waiting[]) => void;
      aside: (steps: Waiting[]) => Promise<Waiting[]>;
      onRefused: (refused: RecordRefused) => void;
      onArchived: (kept: KeptOut) => void;
    }) {
    for (const e of entries) this.cases.set(e.caseId, [...(this.cases.get(e.caseId) ?? []), e]);
    for (const list of this.cases.values()) list.sort((a, b) => a.lane - b.lane || a.originSeq - b.originSeq);
  }

  get isOver(): boolean {
    return this.cases.size === 0;
  }

  onWelcome(): void {
    this.joined.clear();
    this.ask();
  }

  onDown(down: Down): void {
    const control = down.control;
    switch (control.case) {
      case 'joined': {
        const caseHex = toHex(control.value.caseId);
        this.joined.add(caseHex);
        this.settle(caseHex, control.value);
        const steps = toSetAside(this.cases.get(caseHex) ?? [], undefined, 0);
        if (steps.length > 0) void this.setAside(caseHex, steps);
        else this.offer(caseHex);
        break;
      }
      case 'acknowledge':
        this.settle(toHex(control.value.caseId), control.value);
        break;
      case 'recordRefused': {
        const refused = control.value;
        const caseHex = toHex(refused.caseId);
        if (PUT_OFF.has(refused.reason)) {
          this.joined.delete(caseHex);
          this.askedAtMs = this.clock.now();
          break;
        }
        this.done(caseHex, (e) => e.lane === refused.lane && BigInt(e.originSeq) === refused.originSeq);
        this.out.onRefused(refused);
        break;
      }
      case 'refused': {
        const { reason, text } = control.value;
        const caseHex = toHex(control.value.caseId);
        const records = (this.cases.get(caseHex) ?? []).map((e) => e.bytes);
        if (reason === RefusalReason.WRONG_STAGE && records.length > 0) this.out.onArchived({ caseHex, text, records });
        // Kept, for a page that may come when the case lets it in.
        if (!PUT_OFF.has(reason)) this.cases.delete(caseHex);
        break;
      }
      case 'heartbeat':
        if (this.clock.now() - this.askedAtMs >= AGAIN_MS) this.ask();
        break;
    }
  }

  private offer(caseHex: string): void {
    for (const records of inMessages(this.cases.get(caseHex) ?? [])) this.session.send({ records });
  }

  private async setAside(caseHex: string, steps: Waiting[]): Promise<void> {
    const notes = await this.out.aside(steps).catch(() => undefined);
    if (!notes) {
      // Kept, for another time.
      this.cases.delete(caseHex);
      return;
    }
    const list = (this.cases.get(caseHex) ?? []).map((e) => notes.find((n) => n.id === e.id) ?? e);
    if (list.length > 0) this.cases.set(caseHex, list);
    if (this.joined.has(caseHex)) this.offer(caseHex);
  }

  private ask(): void {
    this.askedAtMs = this.clock.now();
    for (const caseHex of this.cases.keys()) {
      if (this.joined.has(caseHex)) continue;
      this.session.send({ control: { case: 'join', value: { caseId: fromHex(caseHex) } } });
    }
  }

  // On record, or refused for good before this page came.
  private settle(caseHex: string, known: { held: LaneRanges[]; refused: LaneRanges[] }): void {
    this.done(caseHex, (e) => isIn(known.held, e));
    for (const e of this.cases.get(caseHex) ?? []) {
      if (!isIn(known.refused, e)) continue;
      this.out.onRefused(create(RecordRefusedSchema, {
        caseId: fromHex(caseHex), lane: e.lane, originSeq: BigInt(e.originSeq), text: 'refused before',
      }));
    }
    this.done(caseHex, (e) => isIn(known.refused, e));
  }

  private done(caseHex: string, which: (e: Waiting) => boolean): void {
    const list = this.cases.get(caseHex) ?? [];
    this.out.remove(list.filter(which));
    const rest = list.filter((e) => !which(e));
    if (rest.length > 0) this.cases.set(caseHex, rest);
    else this.cases.delete(caseHex);
  }
}

const isIn = (held: LaneRanges[], e: Waiting): boolean =>
  held.some((lane) => lane.lane === e.lane && lane.ranges.some(
    (r) => BigInt(e.originSeq) >= r.first && BigInt(e.originSeq) <= r.last));
