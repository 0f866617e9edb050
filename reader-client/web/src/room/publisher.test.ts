import { create, fromBinary } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../base/bytes.js';
import { FakeClock } from '../base/clock.js';
import { CaseTransition } from '../wire/generated/remora/v1/case_pb.js';
import { RecordSchema } from '../wire/generated/remora/v1/record_pb.js';
import type { Record as CaseRecord } from '../wire/generated/remora/v1/record_pb.js';
import { DownSchema, RefusalReason, UpSchema } from '../wire/generated/remora/v1/room_pb.js';
import type { RecordRefused } from '../wire/generated/remora/v1/room_pb.js';
import { MemoryOutbox } from '../wire/outbox.js';
import type { Waiting } from '../wire/outbox.js';
import type { Session, SessionListener } from '../wire/session.js';
import { unsentOf } from '../wire/set_aside.js';
import { Publisher } from './publisher.js';

const CASE = 'c0'.repeat(16);
const ORIGIN = new Uint8Array(16).fill(9);
type UpInit = MessageInitShape<typeof UpSchema>;

// A session whose wire the test holds.
class FakeSession {
  up = true;
  sent: UpInit[] = [];
  listener: SessionListener = {};
  listen(listener: SessionListener): () => void {
    this.listener = listener;
    return () => {};
  }
  send(up: UpInit): boolean {
    if (this.up) this.sent.push(up);
    return this.up;
  }
  down(message: MessageInitShape<typeof DownSchema>): void {
    this.listener.onDown?.(create(DownSchema, message));
  }
  joins(): number {
    return this.sent.filter((u) => u.control?.case === 'join').length;
  }
  seqs(): bigint[] {
    return this.sent.flatMap((u) => u.records ?? []).map((b) => fromBinary(RecordSchema, b as Uint8Array).originSeq);
  }
}

async function make(store = new MemoryOutbox()) {
  const wire = new FakeSession();
  const clock = new FakeClock();
  const kept: CaseRecord[] = [];
  const refused: RecordRefused[] = [];
  const aside: string[] = [];
  await store.register(toHex(ORIGIN), 'maya');
  const publisher = await Publisher.create(wire as unknown as Session, store, ORIGIN, clock, {
    onKept: (record) => kept.push(record), onRefused: (r) => refused.push(r), onSetAside: (hex) => aside.push(hex),
  });
  const held = (last: bigint) => [{ lane: 0, ranges: [{ first: 1n, last }] }];
  const joined = (last = 0n) => wire.down({
    control: { case: 'joined', value: { caseId: fromHex(CASE), held: last > 0n ? held(last) : [] } } });
  const ack = (last: bigint) => wire.down({
    control: { case: 'acknowledge', value: { caseId: fromHex(CASE), held: held(last) } } });
  const say = (text: string) => publisher.publish(CASE, { case: 'message', value: { text } });
  return { wire, clock, kept, refused, aside, publisher, store, joined, ack, say };
}
// What is written into the store meanwhile.
const settle = () => new Promise((resolve) => setTimeout(resolve));

describe('Publisher', () => {
  it('NumbersDenselyFromOneALaneAndSendsNothingBeforeItMayPublish', async () => {
    const { wire, joined, say, publisher, kept } = await make();
    await Promise.all([say('a'), say('b')]);
    await publisher.publish(CASE, { case: 'annotation', value: { text: 'n' } });
    expect(wire.seqs()).toEqual([]);
    expect(wire.joins()).toBe(1);
    joined();
    expect(wire.seqs()).toEqual([1n, 2n, 1n]);
    expect(kept.map((r) => [r.lane, r.originSeq])).toEqual([[0, 1n], [0, 2n], [1, 1n]]);
    await say('c');
    expect(wire.seqs().at(-1)).toBe(3n);
  });

  it('OffersTheRestAgainInOrderAfterAReconnect', async () => {
    const { wire, joined, ack, say, publisher } = await make();
    publisher.join(CASE);
    joined();
    await say('a');
    await say('b');
    ack(1n);
    expect(publisher.waitingCount).toBe(1);
    wire.up = false;
    await say('c');
    wire.up = true;
    wire.sent = [];
    wire.listener.onWelcome?.(undefined as never);
    expect(wire.joins()).toBe(1);
    joined(1n);
    expect(wire.seqs()).toEqual([2n, 3n]);
    ack(3n);
    expect(publisher.waitingCount).toBe(0);
  });

  it('GoesOnWithItsNumbersAfterAReloadAndOffersWhatWaits', async () => {
    const first = await make();
    await first.say('a');
    await first.say('b');
    const again = await make(first.store);
    again.wire.listener.onWelcome?.(undefined as never);
    again.joined(1n);
    expect(again.wire.seqs()).toEqual([2n]);
    await again.say('c');
    expect(again.wire.seqs()).toEqual([2n, 3n]);
  });

  it('NeverReusesANumberThatTheHubHoldsThoughTheStoreForgotIt', async () => {
    const { joined, say, publisher, wire } = await make();
    publisher.join(CASE);
    joined(7n);
    await say('a');
    expect(wire.seqs()).toEqual([8n]);
  });

  it('LeavesARefusedNumberUnusedAndGoesOn', async () => {
    const { wire, joined, say, publisher, refused } = await make();
    publisher.join(CASE);
    joined();
    await say('a');
    wire.down({ control: { case: 'recordRefused', value: {
      caseId: fromHex(CASE), lane: 0, originSeq: 1n, reason: RefusalReason.NOT_PERMITTED, text: 'no' } } });
    expect(refused).toHaveLength(1);
    expect(publisher.waitingCount).toBe(0);
    await say('b');
    expect(wire.seqs()).toEqual([1n, 2n]);
  });

  it('JoinsAgainWhenTheHubSaysThatTheOrderIsBroken', async () => {
    const { wire, clock, joined, say, publisher, refused } = await make();
    publisher.join(CASE);
    joined();
    await say('a');
    wire.down({ control: { case: 'recordRefused', value: {
      caseId: fromHex(CASE), lane: 0, originSeq: 1n, reason: RefusalReason.OUT_OF_ORDER, text: 'expected 0' } } });
    expect(refused).toHaveLength(0);
    clock.advance(6000);
    wire.down({ control: { case: 'heartbeat', value: {} } });
    expect(wire.joins()).toBe(2);
    joined();
    expect(wire.seqs()).toEqual([1n, 1n]);
  });

  const steps = (transition: CaseTransition) => ({ case: 'caseLifecycle' as const, value: { transition, actor: 'Ines', reason: 'wound' } });
  const bodies = (wire: FakeSession) => wire.sent.flatMap((u) => u.records ?? []).map((b) => fromBinary(RecordSchema, b as Uint8Array).body);
  const lane1 = (last: bigint) => ({ control: { case: 'joined' as const, value: { caseId: fromHex(CASE), held: last > 0n ? [{ lane: 1, ranges: [{ first: 1n, last }] }] : [] } } });

  it('SendsNoStepOfAnEarlierPageByItselfButANoteInItsPlaceAndAllElse', async () => {
    const first = await make();
    await first.publisher.publish(CASE, steps(CaseTransition.SEALED));
    await first.publisher.publish(CASE, { case: 'annotation', value: { text: 'after' } });
    await first.say('a');
    const again = await make(first.store);
    again.wire.listener.onWelcome?.(undefined as never);
    again.joined();
    await again.say('b');
    await settle();
    expect(again.wire.seqs()).toEqual([1n, 1n, 2n, 2n]);
    expect(bodies(again.wire).map((b) => b.case)).not.toContain('caseLifecycle');
    expect((bodies(again.wire)[1]!.value as { text: string }).text).toContain('not done: seal this case');
    expect([again.kept.map((r) => r.body.case), again.aside]).toEqual([['annotation', 'message'], [CASE]]);
    expect(again.publisher.countWaiting(CASE, 'caseLifecycle')).toBe(0);
    // The next page offers it still, and sends the note.
    const [offered] = await first.store.offered('maya');
    expect(unsentOf(offered!)!.step).toMatchObject({ transition: CaseTransition.SEALED, reason: 'wound' });
    const third = await make(first.store);
    third.wire.listener.onWelcome?.(undefined as never);
    third.wire.down(lane1(0n));
    expect(bodies(third.wire).map((b) => b.case)).toEqual(['message', 'message', 'annotation', 'annotation']);
    await first.store.remove([offered!]);
    expect(await first.store.offered('maya')).toEqual([]);
  });

  it('OffersNoStepThatIsOnRecordThoughItsPageNeverLearntOfIt', async () => {
    const first = await make();
    await first.publisher.publish(CASE, steps(CaseTransition.SEALED));
    const again = await make(first.store);
    again.wire.listener.onWelcome?.(undefined as never);
    again.wire.down(lane1(1n));
    await settle();
    expect([again.wire.seqs(), await first.store.offered('maya'), again.publisher.waitingCount]).toEqual([[], [], 0]);
  });

  it('SendsAStepOfItsOwnAfterAShortLossAndNotAfterALongOne', async () => {
    for (const [ms, sent, asides] of [[50_000, 'caseLifecycle', []], [61_000, 'annotation', [CASE]]] as const) {
      const { wire, publisher, clock, joined, aside } = await make();
      await publisher.publish(CASE, steps(CaseTransition.SEALED));
      clock.advance(ms);
      joined();
      await settle();
      expect([bodies(wire).map((b) => b.case), aside]).toEqual([[sent], asides]);
    }
  });

  const bytesOf = (wire: FakeSession) => wire.sent.flatMap((u) => u.records ?? []).map((b) => toHex(b as Uint8Array));
  it('OffersAStepThatWasSentAgainUnchangedHoweverLongAgo_TheHubMayHaveIt', async () => {
    const { wire, publisher, clock, joined, aside, store, say } = await make();
    publisher.join(CASE);
    joined();
    await publisher.publish(CASE, steps(CaseTransition.SEALED));
    await say('a');
    const [seal] = bytesOf(wire);
    expect(publisher.unansweredSteps()).toEqual([]);
    clock.advance(61_000);
    wire.sent = [];
    joined();
    await settle();
    expect([bytesOf(wire).includes(seal!), bodies(wire).map((b) => b.case), aside]).toEqual([true, ['message', 'caseLifecycle'], []]);
    expect(publisher.unansweredSteps().map((u) => u.step.transition)).toEqual([CaseTransition.SEALED]);
    // Nor is it anything else for the page that comes after it.
    const again = await make(store);
    again.wire.listener.onWelcome?.(undefined as never);
    again.joined();
    await settle();
    expect([bytesOf(again.wire).includes(seal!), await store.offered('maya')]).toEqual([true, []]);
    expect(again.publisher.unansweredSteps()).toHaveLength(1);
    again.wire.down(lane1(1n));
    expect(again.publisher.unansweredSteps()).toEqual([]);
  });

  it('KnowsAStepForSentBeforeItIs', async () => {
    const { wire, publisher, joined, store } = await make();
    publisher.join(CASE);
    joined();
    const order: string[] = [];
    const [send, replace] = [wire.send.bind(wire), store.replace.bind(store)];
    wire.send = (up) => {
      order.push('sent');
      return send(up);
    };
    store.replace = async (e) => {
      await settle();
      await replace(e);
      order.push(`kept as ${e.unsent ? 'unsent' : 'sent'}`);
    };
    await publisher.publish(CASE, steps(CaseTransition.SEALED));
    expect(order).toEqual(['kept as sent', 'sent']);
    // Without a link to hand it to it was not sent.
    wire.up = false;
    await publisher.publish(CASE, steps(CaseTransition.REOPENED));
    expect((await store.waiting(toHex(ORIGIN))).map((e) => e.unsent)).toEqual([false, true]);
  });

  it('TakesAStepThatAnOlderPageKeptForSent', async () => {
    const first = await make();
    await first.publisher.publish(CASE, steps(CaseTransition.SEALED));
    const [{ unsent: _, ...old }] = await first.store.waiting(toHex(ORIGIN)) as [Waiting];
    await first.store.replace(old);
    const again = await make(first.store);
    again.wire.listener.onWelcome?.(undefined as never);
    again.joined();
    await settle();
    expect([bodies(again.wire).map((b) => b.case), again.aside]).toEqual([['caseLifecycle'], []]);
  });

  it('SetsAllStepsOfAClosingAsideOnceOneIsStale', async () => {
    const { wire, publisher, clock, joined, aside, store } = await make();
    await publisher.publish(CASE, steps(CaseTransition.CLOSING));
    clock.advance(5_000);
    await publisher.publish(CASE, steps(CaseTransition.CLOSED));
    clock.advance(57_000);
    joined();
    await settle();
    expect([bodies(wire).map((b) => b.case), aside]).toEqual([['annotation', 'annotation'], [CASE]]);
    expect((await store.offered('maya')).map((e) => unsentOf(e)!.step.transition)).toEqual([CaseTransition.CLOSING, CaseTransition.CLOSED]);
  });

  it('SetsClosedAsideWithoutItsClosingThatWasSent', async () => {
    const { wire, publisher, clock, joined, aside } = await make();
    publisher.join(CASE);
    joined();
    await publisher.publish(CASE, steps(CaseTransition.CLOSING));
    const [closing] = bytesOf(wire);
    wire.up = false;
    clock.advance(5_000);
    await publisher.publish(CASE, steps(CaseTransition.CLOSED));
    clock.advance(57_000);
    wire.up = true;
    wire.sent = [];
    wire.listener.onWelcome?.(undefined as never);
    joined();
    await settle();
    expect([bytesOf(wire)[0], bodies(wire).map((b) => b.case), aside]).toEqual([closing, ['caseLifecycle', 'annotation'], [CASE]]);
  });

  it('TellsWhyItMayNotPublish', async () => {
    const { wire, publisher, joined } = await make();
    publisher.join(CASE);
    wire.down({ control: { case: 'refused', value: { caseId: fromHex(CASE), text: 'the case is sealed' } } });
    expect(publisher.notAllowed.get(CASE)).toBe('the case is sealed');
    joined();
    expect(publisher.notAllowed.has(CASE)).toBe(false);
  });

  it('GoesOnWritingWhileTheHubCannotTakeRecords', async () => {
    const { wire, publisher, say, joined } = await make();
    publisher.join(CASE);
    joined();
    wire.down({ control: { case: 'refused', value: { caseId: fromHex(CASE), reason: RefusalReason.TOO_MANY, text: 'the hub cannot record at present' } } });
    expect([publisher.notAllowed.size, publisher.notNow.get(CASE)]).toEqual([0, 'the hub cannot record at present']);
    await say('a');
    expect(wire.seqs()).toEqual([1n]);
    joined();
    expect(publisher.notNow.size).toBe(0);
    wire.down({ control: { case: 'refused', value: { caseId: fromHex(CASE), reason: RefusalReason.NOT_PERMITTED, text: 'moved' } } });
    expect(publisher.notAllowed.get(CASE)).toBe('moved');
  });

  it('OffersWhatWaitedForHoursInMessagesThatTheHubTakesAndCountsItByKind', async () => {
    const { wire, publisher, joined } = await make();
    for (let i = 0; i < 40; i++) await publisher.publish(CASE, { case: 'annotation', value: { text: 'n'.repeat(20_000) } });
    await publisher.publish(CASE, { case: 'viewSeen', value: { actor: 'Maya' } });
    expect([publisher.countWaiting(CASE, 'annotation'), publisher.countWaiting(CASE, 'viewSeen')]).toEqual([40, 1]);
    joined();
    const messages = wire.sent.filter((u) => u.records !== undefined);
    expect(wire.seqs()).toHaveLength(41);
    for (const m of messages) expect(m.records!.reduce((sum, r) => sum + (r as Uint8Array).length, 0)).toBeLessThan(1 << 20);
    expect(messages.length).toBeGreaterThan(1);
  });

  it('ForgetsWhatWasRefusedForGoodTellsItOnceAndNeverReusesItsNumber', async () => {
    const { wire, publisher, say, refused, joined } = await make();
    publisher.join(CASE);
    joined();
    await say('a');
    await say('b');
    const ranges = [{ lane: 0, ranges: [{ first: 2n, last: 4n }] }];
    wire.down({ control: { case: 'acknowledge', value: { caseId: fromHex(CASE), refused: ranges } } });
    wire.down({ control: { case: 'joined', value: { caseId: fromHex(CASE), refused: ranges } } });
    expect(refused.map((r) => [r.lane, r.originSeq])).toEqual([[0, 2n]]);
    expect(publisher.waitingCount).toBe(1);
    await say('c');
    expect(wire.seqs().at(-1)).toBe(5n);
  });

  it('DoesNotTakeTheRefusalOfAFollowOrOfARequestForThatOfAJoin', async () => {
    const { wire, publisher } = await make();
    publisher.join(CASE);
    wire.down({ control: { case: 'refused', value: { caseId: fromHex(CASE), followId: 4, text: 'no' } } });
    wire.down({ control: { case: 'refused', value: { caseId: fromHex(CASE), requestId: 4, text: 'no' } } });
    expect(publisher.notAllowed.size).toBe(0);
  });
});
