import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { RecordSchema } from '../wire/generated/remora/v1/record_pb.js';
import type { Record as CaseRecord } from '../wire/generated/remora/v1/record_pb.js';
import { SnapshotSchema } from '../wire/generated/remora/v1/room_pb.js';
import { CaseModel } from './case_model.js';
import { EARLY_EVENTS, early, edge, Hub, laneOf, map, Page, screw, settle, tof } from './testing/told_page.js';
import type { Body } from './testing/told_page.js';
import { MOST_ASKS } from './told_fetch.js';
import { MOST_KEPT, THIN_FROM } from './told_log.js';

describe('An ask that fails', () => {
  it('IsAskedAgainLaterEachTimeAfterALongerWaitAndThenGoesOn', async () => {
    for (const failure of ['busy', 'unread', 'link'] as const) {
      const hub = new Hub();
      early(hub);
      const page = new Page(hub).join();
      page.failing = failure;
      page.look();
      await settle();
      expect([page.asked.length, page.told.looking, page.sinceS], failure).toEqual([1, 'later', 30_506]);
      for (const ms of [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]) {
        const before = page.asked.length;
        page.wait(ms - 1);
        await settle();
        expect(page.asked, failure).toHaveLength(before);
        page.wait(1);
        expect(page.asked, failure).toHaveLength(before + 1);
        await settle();
      }
      page.failing = undefined;
      page.wait(60_000);
      await settle();
      expect([page.happened, page.sinceS, page.told.looking], failure).toEqual([EARLY_EVENTS, 0, 'no']);
    }
  });

  it('BecauseTheLinkDropsInTheMiddleGoesOnFromThereWithTheNextSnapshot', async () => {
    const hub = new Hub();
    hub.put(2, tof(4));
    for (let i = 0; i < 2_000; i++) hub.put(2, edge(i % 30));
    const page = new Page(hub).join().hold().look();
    page.letGo();
    await settle();
    const half = page.sinceS;
    expect(half).toBeLessThan(1_600);
    page.drop();
    await settle();
    expect([page.told.looking, page.sinceS]).toEqual(['later', half]);
    const before = page.asked.length;
    hub.put(2, tof(1));
    page.release();
    page.resume();
    await settle();
    expect(page.asked[before]).toMatchObject({ lane: 2, to: hub.last(2) });
    expect(Number(page.asked[before + 1]!.to)).toBeLessThan(1_600);
    expect([page.happened, page.sinceS, page.told.looking]).toEqual([['left hand 4/4, ratio 0.00', 'left hand 1/4'], 0, 'no']);
  });

  it('BecauseItMayNotBeAskedIsNotAskedAgainBeforeTheNextSnapshot', async () => {
    const hub = new Hub();
    early(hub);
    const page = new Page(hub).join();
    page.failing = 'refused';
    page.look();
    await settle();
    page.wait(1_000_000);
    await settle();
    expect([page.asked.length, page.told.looking, page.sinceS]).toEqual([1, 'refused', 30_506]);
    page.failing = undefined;
    page.resume();
    await settle();
    expect([page.happened, page.sinceS]).toEqual([EARLY_EVENTS, 0]);
  });

  it('BecauseOneRecordCannotBeReadHereGoesOnWithoutThatOne', async () => {
    const hub = new Hub();
    early(hub);
    let now = 0;
    const bad = 30_300n;
    const model = new CaseModel(() => [], { nowMs: () => now, random: () => 1, ask: async (lanes, from, to) => {
      const records = hub.records.filter((r) => lanes.includes(r.lane) && r.stamp!.seq >= from && r.stamp!.seq <= to);
      return from <= bad && bad <= to ? { records, error: '1 records more are on record.', failure: 'more' } : { records, error: undefined };
    } });
    model.onSnapshot(create(SnapshotSchema, { cursor: { epoch: 1 }, headSeq: hub.seq }));
    model.toldFetch!.look();
    for (let i = 0; i < 20; i++) {
      await settle();
      now += 60_000;
      model.toldFetch!.tick();
    }
    expect([model.told.events().map((e) => e.text), model.told.looking, model.told.sinceMs]).toEqual([EARLY_EVENTS, 'no', 0]);
  });

  it('BecauseAPartCannotBeReadDoesNotHoldUpTheOtherLane', async () => {
    const hub = new Hub();
    early(hub);
    let now = 0;
    const bad = 30_006n;
    const model = new CaseModel(() => [], { nowMs: () => now, random: () => 1, ask: async (lanes, from, to) => {
      const records = hub.records.filter((r) => lanes.includes(r.lane) && r.stamp!.seq >= from && r.stamp!.seq <= to);
      return lanes.includes(2) && from <= bad && bad <= to ? { records: [], error: 'a bad sector', failure: 'unread' } : { records, error: undefined };
    } });
    model.onSnapshot(create(SnapshotSchema, { cursor: { epoch: 1 }, headSeq: hub.seq, state: { summary: { lastRecordUnixNs: 9_000_000_000n } } }));
    model.toldFetch!.look();
    for (let i = 0; i < 30; i++) {
      await settle();
      now += 60_000;
      model.toldFetch!.tick();
    }
    await settle();
    expect(model.told.events().map((e) => e.text)).toEqual(['prone', 'MAP 62 mmHg']);
    expect([model.told.looking, model.told.sinceMs]).toEqual(['later', 9_000]);
  });

  it('ByAnExceptionIsAskedAgainToo', async () => {
    const hub = new Hub();
    early(hub);
    let asks = 0;
    let now = 0;
    const model = new CaseModel(() => [], { nowMs: () => now, random: () => 1, ask: async () => {
      asks++;
      throw new Error('the socket is closing');
    } });
    model.onSnapshot(create(SnapshotSchema, { cursor: { epoch: 1, lanes: [{ lane: 2, seq: 9n }] }, headSeq: 9n }));
    model.toldFetch!.look();
    await settle();
    now = 1_000;
    model.toldFetch!.tick();
    await settle();
    expect([asks, model.told.looking]).toEqual([2, 'later']);
  });

  it('ForLongLosesNothingOfWhatComesMeanwhileAndKeepsLittleOfIt', async () => {
    const hub = new Hub();
    const always = new CaseModel();
    const put = (body: Body) => {
      const record = hub.put(laneOf(body), body);
      always.onRecord(record);
      return record;
    };
    put(screw('L4 L'));
    put(tof(1));
    const page = new Page(hub).join();
    page.failing = 'busy';
    page.look();
    await settle();
    for (let i = 0; i < MOST_KEPT + 8_000; i++) page.live(put(i % 5000 === 0 ? tof(i % 3) : i % 4000 === 0 ? map(50 + (i % 64)) : edge(i % 30, i % 3000 < 1500 ? 0 : 20, `F${i % 4}`)));
    expect(page.model.toldFetch!.kept).toBeLessThan(5_000);
    page.failing = undefined;
    page.wait(60_000);
    await settle();
    expect(page.lines.sort()).toEqual(always.told.kinds().flatMap((k) => always.told.list(k).map((v) => v.text)).sort());
    expect(page.happened).toEqual(always.told.events().map((e) => e.text));
    expect([page.sinceS, page.model.toldFetch!.kept]).toEqual([0, 0]);
  });
});

describe('What changed while nobody could tell', () => {
  it('IsAnEventWhereItChangedThoughMuchCameBeforeThatWasKnown', async () => {
    const hub = new Hub();
    const always = new CaseModel();
    const put = (body: Body): CaseRecord => {
      const record = hub.put(laneOf(body), body);
      always.onRecord(record);
      return record;
    };
    put(tof(4));
    const page = new Page(hub).join();
    page.failing = 'busy';
    page.look();
    page.live(put(tof(2)));
    page.drop();
    put(tof(1));
    page.resume();
    page.live(put(tof(2)));
    for (let i = 0; i < 2 * THIN_FROM; i++) page.live(put(i % 100 === 0 ? tof(2) : edge(i % 30)));
    page.failing = undefined;
    await settle();
    page.wait(60_000);
    await settle();
    const events = (model: CaseModel) => model.told.events().map((e) => [e.text, e.atMs]);
    expect(events(page.model)).toEqual(events(always));
    expect(events(always)).toHaveLength(4);
  });
});

describe('What was shown before it was on record', () => {
  it('TakesItsPlaceAmongWhatOthersTold', async () => {
    const hub = new Hub();
    const page = new Page(hub).join().look();
    page.live(hub.put(2, tof(4)));
    const shown = hub.make(2, tof(1), { unrecorded: true });
    page.model.onRecord(shown);
    page.live(hub.make(2, tof(2), { origin: 3 }));
    expect(page.lines).toEqual(['left hand 1/4']);
    page.live(hub.make(2, tof(1), { originSeq: shown.originSeq }));
    expect(page.lines).toEqual(['left hand 1/4']);
    expect(page.happened).toEqual(['left hand 4/4, ratio 0.00', 'left hand 2/4', 'left hand 1/4']);
    expect(page.model.toldFetch!.kept).toBe(0);
  });
});

describe('What does not belong', () => {
  it('IsAnAnswerOfAnotherEpoch', async () => {
    const hub = new Hub();
    early(hub);
    const page = new Page(hub).join().hold().look();
    const old = hub.records;
    hub.records = [];
    page.join(2);
    hub.records = old;
    page.release();
    await settle();
    expect([page.lines, page.sinceS]).toEqual([[], 0]);
  });

  it('IsAnAnswerOfAnotherEpochWhileOneOfThisIsOnItsWay', async () => {
    const hub = new Hub();
    early(hub);
    const page = new Page(hub).join().hold().look();
    page.join(2);
    expect(page.asked).toHaveLength(2);
    page.letGo(1);
    await settle();
    expect([page.asked.length, page.lines, page.told.looking]).toEqual([2, [], 'now']);
    page.release();
    await settle();
    expect([page.happened, page.sinceS]).toEqual([EARLY_EVENTS, 0]);
  });

  it('IsAnAnswerOfACaseThatWasClosed', async () => {
    const hub = new Hub();
    early(hub);
    const page = new Page(hub).join().hold().look();
    page.model.toldFetch!.close();
    page.release();
    await settle();
    page.wait(100_000);
    await settle();
    expect([page.lines, page.asked.length, page.model.toldFetch!.kept]).toEqual([[], 1, 0]);
  });

  it('IsWhatOfAnotherCaseIsAskedMeanwhile', async () => {
    const [one, other] = [new Hub(), new Hub()];
    early(one);
    other.put(2, tof(3));
    const pages = [new Page(one).join().hold().look(), new Page(other).join().hold().look()];
    pages[1]!.release();
    await settle();
    pages[0]!.release();
    await settle();
    expect(pages.map((p) => p.happened)).toEqual([EARLY_EVENTS, ['left hand 3/4']]);
  });

  it('IsWhatASnapshotVoidsAndWhatStoodBeforeStandsAgain', async () => {
    const hub = new Hub();
    early(hub);
    const page = new Page(hub).join().look();
    await settle();
    const shown = hub.make(2, tof(3), { unrecorded: true });
    page.model.onRecord(shown);
    page.model.onRecord(hub.make(2, screw('S1 R'), { unrecorded: true }));
    expect(page.lines).toContain('left hand 3/4');
    page.resume();
    await settle();
    expect(page.lines).toContain('left hand 1/4');
    expect(page.lines).not.toContainEqual(expect.stringContaining('S1 R'));
    expect(page.happened).toEqual(EARLY_EVENTS);
    // One of the two comes again, and then on record.
    page.model.onRecord(shown);
    expect(page.happened).toEqual([...EARLY_EVENTS, 'left hand 3/4']);
    const record = hub.make(2, tof(3), { originSeq: shown.originSeq });
    hub.records.push(record);
    page.live(record);
    expect(page.model.toldFetch!.kept).toBe(0);
    page.resume();
    await settle();
    expect(page.happened).toEqual([...EARLY_EVENTS, 'left hand 3/4']);
    expect(page.told.events().at(-1)!.mark.unrecorded).toBe(false);
  });
});

describe('Hostile hubs', () => {
  const hostile = (answer: (from: bigint, to: bigint) => CaseRecord[]): [CaseModel, () => number] => {
    let asks = 0;
    const model = new CaseModel(() => [], { nowMs: () => 0, random: () => 1, ask: async (_lanes, from, to) => {
      asks++;
      return { records: answer(from, to), error: undefined };
    } });
    model.onSnapshot(create(SnapshotSchema, { cursor: { epoch: 1, lanes: [{ lane: 1, seq: 0n }, { lane: 2, seq: 100n }] }, headSeq: 100n }));
    model.toldFetch!.look();
    return [model, () => asks];
  };
  const at = (lane: number, seq: bigint, body: Body): CaseRecord => create(RecordSchema, {
    caseId: new Uint8Array(16).fill(1), origin: new Uint8Array(16).fill(2), lane, originSeq: seq, body, stamp: { epoch: 1, seq, recordedUnixNs: seq * 1_000_000_000n } });

  it('HostileAnswersOutOfOrderAreToldInOrderAndOnceEach', async () => {
    const all = [at(2, 30n, tof(4)), at(2, 60n, tof(1)), at(2, 90n, tof(2))];
    const [model] = hostile(() => [all[2]!, all[0]!, all[1]!, all[0]!, all[2]!, all[1]!]);
    await settle();
    expect(model.told.events().map((e) => e.text)).toEqual(['left hand 4/4, ratio 0.00', 'left hand 1/4', 'left hand 2/4']);
    expect(model.told.list('tof').map((v) => v.text)).toEqual(['left hand 2/4']);
  });

  it('HostileAnswersOutOfOrderDoNotMakeItKnowMoreThanItDoes', async () => {
    let asks = 0;
    const model = new CaseModel(() => [], { nowMs: () => 0, random: () => 1, ask: async (_lanes, from, to) => (asks++ === 0
      ? { records: [at(2, to, tof(3)), at(2, from, tof(4)), at(2, to - 1n, tof(2))], error: undefined } : { records: [], error: 'no', failure: 'busy' as const }) });
    model.onSnapshot(create(SnapshotSchema, { cursor: { epoch: 1, lanes: [{ lane: 1, seq: 0n }, { lane: 2, seq: 9_000n }] }, headSeq: 9_000n }));
    model.toldFetch!.look();
    await settle();
    expect([model.told.sinceMs, model.told.looking, asks]).toEqual([8_501_000, 'later', 2]);
  });

  it('HostileAnswersToWhatWasNotAskedAreNotTold', async () => {
    const [model, asks] = hostile(() => [at(3, 60n, tof(3)), at(1, 70n, tof(3)), at(2, 101n, tof(3)), at(2, 0n, tof(3)), create(RecordSchema, {}), at(2, 50n, tof(2))]);
    await settle();
    expect(model.told.list('tof').map((v) => v.text)).toEqual(['left hand 2/4']);
    expect([model.told.looking, model.told.sinceMs, asks()]).toEqual(['no', 0, 1]);
  });

  it('HostilePlacesBeyondReasonEndTheAsking', async () => {
    let asks = 0;
    const model = new CaseModel(() => [], { nowMs: () => 0, random: () => 1, ask: async () => (asks++, { records: [], error: undefined }) });
    model.onSnapshot(create(SnapshotSchema, { cursor: { epoch: 1, lanes: [{ lane: 1, seq: 2n ** 63n }, { lane: 2, seq: 2n ** 63n }] }, headSeq: 5n }));
    model.toldFetch!.look();
    await settle(5_000);
    expect(asks).toBe(2 * MOST_ASKS);
    expect(model.told.looking).toBe('no');
  });
});
