import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { toHex } from '../base/bytes.js';
import { FakeClock } from '../base/clock.js';
import { FakeTicker } from '../base/ticker.js';
import { CaseTransition } from './generated/remora/v1/case_pb.js';
import { RecordSchema } from './generated/remora/v1/record_pb.js';
import { DownSchema, RefusalReason, UpSchema } from './generated/remora/v1/room_pb.js';
import type { RecordRefused, Up } from './generated/remora/v1/room_pb.js';
import { LeftOver } from './left_over.js';
import type { KeptOut } from './left_over.js';
import { MemoryOutbox } from './outbox.js';
import type { Waiting } from './outbox.js';
import type { Socket } from './session.js';
import { lastOfEach } from './set_aside.js';

const CASE = 'c0'.repeat(16);
const origin = (n: number): string => n.toString(16).padStart(2, '0').repeat(16);
const entry = (from: string, originSeq: number, caseId = CASE, lane = 0): Waiting => ({
  id: `${caseId}/${from}/${lane}/${originSeq}`, origin: from, caseId, lane, originSeq,
  bytes: Uint8Array.from([originSeq]),
});

// A hub that takes what it is offered, unless told otherwise.
class HubSocket implements Socket {
  binaryType = '';
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;
  onerror: (() => void) | null = null;
  closed = false;
  constructor(private readonly hub: Hub) {}
  send(data: Uint8Array): void {
    this.hub.take(this, fromBinary(UpSchema, data));
  }
  close(): void {
    this.closed = true;
  }
  down(message: MessageInitShape<typeof DownSchema>): void {
    queueMicrotask(() => this.onmessage?.({ data: toBinary(DownSchema, create(DownSchema, message)).slice().buffer }));
  }
}

class Hub {
  readonly sockets: HubSocket[] = [];
  readonly origins: string[] = [];
  // Records by origin, in the order taken.
  readonly taken = new Map<string, number[]>();
  refuseJoins = new Set<string>();
  refuseJoinsFor = RefusalReason.NO_SUCH_CASE;
  refuseRecord: RefusalReason | undefined;
  holds: bigint = 0n;
  refusedBefore: bigint[] = [];
  bound = new Set<string>();
  // What was taken, and the number in a record's bytes.
  readonly bytes: Uint8Array[] = [];
  seqOf = (bytes: Uint8Array): bigint => BigInt(bytes[0]!);
  private origin = '';

  open = (): Socket => {
    const socket = new HubSocket(this);
    this.sockets.push(socket);
    queueMicrotask(() => socket.onopen?.());
    return socket;
  };

  take(socket: HubSocket, up: Up): void {
    if (up.control.case === 'hello') {
      this.origin = toHex(up.control.value.origin);
      this.origins.push(this.origin);
      if (this.bound.has(this.origin)) {
        socket.down({ control: { case: 'refused', value: { reason: RefusalReason.ORIGIN_BOUND, text: 'not yours' } } });
        return;
      }
      socket.down({ control: { case: 'welcome', value: { version: 1, hubBootId: 1n } } });
    }
    if (up.control.case === 'join') {
      const caseId = up.control.value.caseId;
      if (this.refuseJoins.has(toHex(caseId))) {
        socket.down({ control: { case: 'refused', value: { reason: this.refuseJoinsFor, text: 'gone', caseId } } });
        return;
      }
      const held = this.holds === 0n ? [] : [{ lane: 0, ranges: [{ first: 1n, last: this.holds }] }];
      const refused = [{ lane: 0, ranges: this.refusedBefore.map((n) => ({ first: n, last: n })) }];
      socket.down({ control: { case: 'joined', value: { caseId, held, refused } } });
    }
    for (const bytes of up.records) {
      const seq = this.seqOf(bytes);
      this.bytes.push(bytes);
      const caseId = Uint8Array.from({ length: 16 }, () => 0xc0);
      if (this.refuseRecord !== undefined) {
        socket.down({ control: { case: 'recordRefused', value: { caseId, lane: 0, originSeq: seq, reason: this.refuseRecord, text: 'no' } } });
        continue;
      }
      this.taken.set(this.origin, [...(this.taken.get(this.origin) ?? []), Number(seq)]);
      socket.down({ control: { case: 'acknowledge', value: { caseId, held: [{ lane: 0, ranges: [{ first: seq, last: seq }] }] } } });
    }
  }
}

async function make(entries: Waiting[]) {
  const store = new MemoryOutbox();
  const hub = new Hub();
  const clock = new FakeClock(1000);
  const ticker = new FakeTicker();
  const claims: string[] = [];
  const living = new Set<string>();
  const refused: RecordRefused[] = [];
  const archived: KeptOut[] = [];
  const asides: number[] = [];
  for (const e of entries) {
    await store.register(e.origin, 'maya');
    await store.put(e);
  }
  const leftOver = new LeftOver({
    identity: 'maya', own: origin(1), store, clock, ticker, random: () => 1, url: 'ws://hub', software: 'test',
    open: hub.open,
    claim: async (o) => {
      claims.push(o);
      return !living.has(o);
    },
    onRefused: (r) => refused.push(r),
    onSetAside: () => asides.push(1),
    onArchived: (k) => archived.push(k),
  });
  const settle = async () => {
    for (let i = 0; i < 200; i++) await Promise.resolve();
  };
  return { store, hub, clock, ticker, claims, living, refused, archived, asides, leftOver, settle };
}

describe('LeftOver', () => {
  it('PublishesForEveryOriginThatClosedTabsLeftInTurnAndInOrder', async () => {
    const { leftOver, hub, store } = await make([
      entry(origin(2), 2), entry(origin(2), 1), entry(origin(3), 1), entry(origin(4), 7)]);
    await leftOver.publish();
    expect(hub.origins).toEqual([origin(2), origin(3), origin(4)]);
    expect(hub.taken.get(origin(2))).toEqual([1, 2]);
    expect(hub.taken.get(origin(4))).toEqual([7]);
    expect(await store.originsWithWaiting('maya')).toEqual([]);
    expect(hub.sockets.every((s) => s.closed)).toBe(true);
  });

  it('LeavesItsOwnOriginAndThoseOfLivingTabsAlone', async () => {
    const { leftOver, hub, living, store } = await make([entry(origin(1), 1), entry(origin(2), 1), entry(origin(3), 1)]);
    living.add(origin(2));
    await leftOver.publish();
    expect(hub.origins).toEqual([origin(3)]);
    expect(await store.originsWithWaiting('maya')).toEqual([origin(1), origin(2)]);
  });

  it('OffersAStepOfAClosedTabToThePersonAndSendsANoteInItsPlace', async () => {
    const left = (originSeq: number, body: MessageInitShape<typeof RecordSchema>['body']): Waiting => ({
      ...entry(origin(2), originSeq), kind: body!.case!, unsent: body!.case === 'caseLifecycle',
      bytes: toBinary(RecordSchema, create(RecordSchema, { originSeq: BigInt(originSeq), capturedAt: { bootId: 3n, wallUnixNs: 60_000_000_000n }, body })),
    });
    const seal: MessageInitShape<typeof RecordSchema>['body'] = { case: 'caseLifecycle', value: { transition: CaseTransition.SEALED, actor: 'Ines' } };
    const { leftOver, hub, store, asides } = await make([left(1, seal), left(2, { case: 'message', value: { text: 'a' } })]);
    hub.seqOf = (bytes) => fromBinary(RecordSchema, bytes).originSeq;
    await leftOver.publish();
    expect(hub.bytes.map((b) => fromBinary(RecordSchema, b).body.case)).toEqual(['annotation', 'message']);
    expect(hub.taken.get(origin(2))).toEqual([1, 2]);
    expect(fromBinary(RecordSchema, hub.bytes[0]!).body.value).toMatchObject({ actor: 'Ines', text: expect.stringContaining('not done: seal this case') });
    expect([await store.originsWithWaiting('maya'), asides.length]).toEqual([[], 1]);
    expect(lastOfEach(await store.offered('maya'))[0]!.last).toMatchObject({ askedAtMs: 60_000, step: { transition: CaseTransition.SEALED } });
    expect(await store.offered('or3')).toEqual([]);
  });

  it('OffersAStepThatAClosedTabSentAgainUnchanged', async () => {
    const bytes = toBinary(RecordSchema, create(RecordSchema, { originSeq: 1n, body: { case: 'caseLifecycle', value: { transition: CaseTransition.SEALED } } }));
    const { leftOver, hub, store, asides } = await make([{ ...entry(origin(2), 1), kind: 'caseLifecycle', unsent: false, bytes }]);
    hub.seqOf = (b) => fromBinary(RecordSchema, b).originSeq;
    await leftOver.publish();
    expect([hub.bytes, asides, await store.offered('maya')]).toEqual([[bytes], [], []]);
  });

  it('OffersNoStepThatTheHubHasAlready', async () => {
    const { leftOver, hub, store } = await make([{ ...entry(origin(2), 1), kind: 'caseLifecycle', bytes: toBinary(RecordSchema, create(RecordSchema, {
      originSeq: 1n, body: { case: 'caseLifecycle', value: { transition: CaseTransition.SEALED } } })) }]);
    hub.holds = 1n;
    await leftOver.publish();
    expect([hub.bytes, await store.offered('maya'), await store.originsWithWaiting('maya')]).toEqual([[], [], []]);
  });

  it('OffersOnlyWhatTheHubLacks', async () => {
    const { leftOver, hub, store } = await make([entry(origin(2), 1), entry(origin(2), 2)]);
    hub.holds = 1n;
    await leftOver.publish();
    expect(hub.taken.get(origin(2))).toEqual([2]);
    expect(await store.originsWithWaiting('maya')).toEqual([]);
  });

  it('KeepsWhatACaseDoesNotLetInAndGoesOnWithTheRest', async () => {
    const gone = 'aa'.repeat(16);
    const { leftOver, hub, store, archived } = await make([
      entry(origin(2), 9, gone), entry(origin(2), 1), entry(origin(3), 1)]);
    hub.refuseJoins.add(gone);
    await leftOver.publish();
    expect(archived).toEqual([]);
    expect(hub.origins).toEqual([origin(2), origin(3)]);
    expect((await store.waiting(origin(2))).map((e) => e.caseId)).toEqual([gone]);
  });

  it('SaysOnceWhatAnArchivedCaseTakesNoMoreAndKeepsIt', async () => {
    const gone = 'aa'.repeat(16);
    const { leftOver, hub, store, archived } = await make([
      entry(origin(2), 9, gone), entry(origin(2), 8, gone), entry(origin(2), 1)]);
    hub.refuseJoins.add(gone);
    hub.refuseJoinsFor = RefusalReason.WRONG_STAGE;
    await leftOver.publish();
    await leftOver.publish();
    expect(archived).toEqual([{ caseHex: gone, text: 'gone', records: [Uint8Array.from([8]), Uint8Array.from([9])] }]);
    expect((await store.waiting(origin(2))).map((e) => e.originSeq).sort()).toEqual([8, 9]);
  });

  it('GoesOnWithTheNextWhereAnOriginIsSomebodyElses', async () => {
    const { leftOver, hub, store } = await make([entry(origin(2), 1), entry(origin(3), 1)]);
    hub.bound.add(origin(2));
    await leftOver.publish();
    expect(hub.taken.get(origin(3))).toEqual([1]);
    expect(await store.originsWithWaiting('maya')).toEqual([origin(2)]);
  });

  it('SaysWhichRecordTheHubRefusedForGood', async () => {
    const { leftOver, hub, store, refused } = await make([entry(origin(2), 1)]);
    hub.refuseRecord = RefusalReason.WRONG_STAGE;
    await leftOver.publish();
    expect(refused.map((r) => r.originSeq)).toEqual([1n]);
    expect(await store.originsWithWaiting('maya')).toEqual([]);
  });

  it('DoesNotOfferAgainWhatWasRefusedBefore', async () => {
    const { leftOver, hub, store, refused } = await make([entry(origin(2), 1), entry(origin(2), 2)]);
    hub.refusedBefore = [1n];
    await leftOver.publish();
    expect(hub.taken.get(origin(2))).toEqual([2]);
    expect(refused.map((r) => r.originSeq)).toEqual([1n]);
    expect(await store.originsWithWaiting('maya')).toEqual([]);
  });

  it('JoinsAgainWhereTheHubWasTooBusy', async () => {
    const { leftOver, hub, store, clock, ticker, settle } = await make([entry(origin(2), 1)]);
    hub.refuseRecord = RefusalReason.TOO_MANY;
    const done = leftOver.publish();
    await settle();
    expect(await store.waiting(origin(2))).toHaveLength(1);
    hub.refuseRecord = undefined;
    clock.advance(5_000);
    ticker.tick();
    hub.sockets[0]!.down({ control: { case: 'heartbeat', value: {} } });
    await done;
    expect(hub.taken.get(origin(2))).toEqual([1]);
  });

  it('RunsOnceAtATimeAndEndsWithThePage', async () => {
    const { leftOver, hub, store, settle } = await make([entry(origin(2), 1), entry(origin(3), 1)]);
    hub.refuseRecord = RefusalReason.DRAINING;
    const first = leftOver.publish();
    const second = leftOver.publish();
    await settle();
    expect(hub.origins).toEqual([origin(2)]);
    leftOver.stop();
    await Promise.all([first, second]);
    expect(hub.origins).toEqual([origin(2)]);
    expect(await store.originsWithWaiting('maya')).toEqual([origin(2), origin(3)]);
  });
});
