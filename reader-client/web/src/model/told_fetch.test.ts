import { create } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MOST_RECORDS } from '../room/history.js';
import type { HistoryAnswer } from '../room/history.js';
import { VitalKind } from '../wire/generated/remora/v1/case_pb.js';
import { ThresholdState } from '../wire/generated/remora/v1/measurement_pb.js';
import { RecordSchema } from '../wire/generated/remora/v1/record_pb.js';
import type { Record as CaseRecord } from '../wire/generated/remora/v1/record_pb.js';
import { SnapshotSchema } from '../wire/generated/remora/v1/room_pb.js';
import { CaseModel } from './case_model.js';
import { MOST_OF_LANE, MOST_OF_LANE_LIGHTER } from './told_fetch.js';

type Body = NonNullable<MessageInitShape<typeof RecordSchema>['body']>;
const START_S = 1_000_000;

// A case's record at a hub: what is asked of it, and what it answers.
class Hub {
  readonly records: CaseRecord[] = [];
  readonly asked: { lanes: number[]; from: bigint; to: bigint }[] = [];
  linked = true;
  // Answers wait until they are let go.
  held: (() => void)[] | undefined;
  private seq = 0n;

  // A second passes with each.
  make(lane: number, body: Body): CaseRecord {
    this.seq++;
    return create(RecordSchema, {
      caseId: new Uint8Array(16).fill(1), origin: new Uint8Array(16).fill(2), lane, originSeq: this.seq, body,
      stamp: { epoch: 1, seq: this.seq, recordedUnixNs: BigInt(START_S + Number(this.seq)) * 1_000_000_000n },
    });
  }
  put(lane: number, body: Body): CaseRecord {
    const record = this.make(lane, body);
    this.records.push(record);
    return record;
  }
  // Records that nobody asks for here: samples.
  pass(count: number): void {
    this.seq += BigInt(count);
  }
  model(): CaseModel {
    return new CaseModel(() => [], (lanes, from, to) => this.answer(lanes, from, to));
  }
  snapshot(epoch = 1) {
    return create(SnapshotSchema, {
      cursor: { epoch }, headSeq: this.seq, state: { summary: { lastRecordUnixNs: BigInt(START_S + Number(this.seq)) * 1_000_000_000n } } });
  }
  private async answer(lanes: number[], from: bigint, to: bigint): Promise<HistoryAnswer> {
    this.asked.push({ lanes, from, to });
    if (this.held) await new Promise<void>((go) => this.held!.push(go));
    if (!this.linked) return { records: [], error: 'There is no link to the hub.' };
    const all = this.records.filter((r) => lanes.includes(r.lane) && r.stamp!.seq >= from && r.stamp!.seq <= to);
    return { records: all.slice(0, MOST_RECORDS), error: all.length > MOST_RECORDS ? 'more are on record' : undefined };
  }
}
const settle = async () => { for (let i = 0; i < 2000; i++) await Promise.resolve(); };
const map = (value: number): Body => ({ case: 'vitals', value: { vitals: [{ kind: VitalKind.MEAN_ARTERIAL_PRESSURE, value }] } });
const tof = (twitchCount: number): Body => ({ case: 'trainOfFour', value: { limb: 'left hand', twitchCount } });
const edge = (sef95Hz: number): Body => ({ case: 'spectralEdge', value: { traceId: 'EEG/L/F3', sef95Hz, medianHz: 5 } });
const screw = (level: string): Body => ({ case: 'stimulusThreshold', value: { traceId: 'PEDICLE_SCREW/L/TA', level, state: ThresholdState.FOUND, thresholdMa: 7 } });
const prone: Body = { case: 'positionChange', value: { position: 'prone' } };
const lines = (model: CaseModel) => model.told.kinds().flatMap((k) => model.told.list(k).map((v) => v.text));
const happened = (model: CaseModel) => model.told.events().map((e) => e.text);

function early(hub: Hub): void {
  hub.put(1, prone);
  hub.put(1, map(80));
  hub.put(2, screw('L4 L'));
  hub.put(2, tof(4));
  hub.pass(30_000);
  hub.put(1, map(62));
  hub.put(2, tof(1));
  hub.pass(500);
}

describe('Who joins late', () => {
  it('SeesTheNewestOfAllThatWasToldBeforeFromTheBeginningOn', async () => {
    const hub = new Hub();
    early(hub);
    const model = hub.model();
    model.onSnapshot(hub.snapshot());
    expect(lines(model)).toEqual([]);
    model.toldFetch!.want();
    await settle();
    expect(lines(model)).toEqual(['prone', 'MAP 62 mmHg', 'left hand 1/4', 'L4 L threshold 7.00 mA'].map((l) => expect.stringContaining(l)));
    expect(happened(model)).toEqual(['prone', expect.stringContaining('L4 L'), 'left hand 4/4, ratio 0.00', 'MAP 62 mmHg', 'left hand 1/4']);
    expect([model.told.sinceMs, model.told.looking]).toEqual([0, false]);
    expect(new Set(hub.asked.map((a) => a.lanes.join()))).toEqual(new Set(['1', '2']));
  });

  it('AsksNothingWhereNobodyLooks', async () => {
    const hub = new Hub();
    early(hub);
    const model = hub.model();
    model.onSnapshot(hub.snapshot());
    await settle();
    expect(hub.asked).toEqual([]);
    expect(model.told.sinceMs).toBe((START_S + 30_506) * 1000);
  });

  it('KnowsTheSameWhetherItCameBeforeOrAfter', async () => {
    await fc.assert(fc.asyncProperty(
      fc.array(fc.constantFrom(map(60), map(70), map(90), tof(4), tof(2), edge(11), edge(4), screw('L4'), screw('L5'), prone), { maxLength: 60 }),
      fc.nat(60), fc.nat(60), async (bodies, joinAt, fetchedAt) => {
        const laneOf = (body: Body) => (body.case === 'vitals' || body.case === 'positionChange' ? 1 : 2);
        const hub = new Hub();
        const always = new CaseModel();
        const late = hub.model();
        hub.held = [];
        let joined = false;
        for (let i = 0; i < bodies.length; i++) {
          if (i === Math.min(joinAt, bodies.length - 1)) {
            late.onSnapshot(hub.snapshot());
            late.toldFetch!.want();
            joined = true;
          }
          const record = hub.put(laneOf(bodies[i]!), bodies[i]!);
          always.onRecord(record);
          if (joined) late.onRecord(record);
          if (i === fetchedAt) hub.held?.splice(0).forEach((go) => go());
          await settle();
        }
        for (let i = 0; i < 20; i++) {
          hub.held?.splice(0).forEach((go) => go());
          await settle();
        }
        expect(lines(late).sort()).toEqual(lines(always).sort());
        if (joined) expect(happened(late)).toEqual(happened(always));
      }), { numRuns: 15 });
  });

  it('HasTheNewestFirstAndStopsWhereItIsEnough', async () => {
    const hub = new Hub();
    hub.put(2, screw('L4 L'));
    hub.put(1, prone);
    for (let i = 0; i < MOST_OF_LANE + 2_000; i++) hub.put(2, edge(10));
    const model = hub.model();
    model.onSnapshot(hub.snapshot());
    model.toldFetch!.want();
    await settle();
    expect(lines(model)).toEqual(['prone', expect.stringContaining('F3 SEF95')]);
    const since = model.told.sinceMs / 1000 - START_S;
    expect(since).toBeGreaterThan(10);
    expect(since).toBeLessThan(2_100);
    expect(hub.asked[0]!.to).toBe(BigInt(MOST_OF_LANE + 2_002));
    for (const { from, to } of hub.asked) expect(to - from).toBeLessThan(2_000n * 4n);
    expect(model.told.looking).toBe(false);
  });

  it('OnAScreenThatIsSetLighterAsksForLess', async () => {
    const hub = new Hub();
    for (let i = 0; i < 5 * MOST_OF_LANE_LIGHTER; i++) hub.put(2, edge(10));
    const model = hub.model();
    model.leftOut.lighter.value = true;
    model.onSnapshot(hub.snapshot());
    model.toldFetch!.want();
    await settle();
    const got = hub.records.length - (model.told.sinceMs / 1000 - START_S);
    expect(got).toBeGreaterThanOrEqual(MOST_OF_LANE_LIGHTER - 1);
    expect(got).toBeLessThan(3 * MOST_OF_LANE_LIGHTER);
  });

  it('GoesOnWithTheNextSnapshotWhereTheLinkWasLostAndFetchesWhatItMissed', async () => {
    const hub = new Hub();
    early(hub);
    const model = hub.model();
    hub.linked = false;
    model.onSnapshot(hub.snapshot());
    model.toldFetch!.want();
    await settle();
    expect([lines(model), model.told.looking]).toEqual([[], false]);
    hub.put(2, tof(2));
    hub.linked = true;
    model.onSnapshot(hub.snapshot());
    await settle();
    expect(lines(model)).toContain('left hand 2/4');
    expect(lines(model)).toContain('prone');
    expect(model.told.sinceMs).toBe(0);
    // And again, once all was known.
    hub.put(2, tof(3));
    model.onSnapshot(hub.snapshot());
    await settle();
    expect(lines(model)).toContain('left hand 3/4');
    expect(happened(model).filter((t) => t.startsWith('left hand'))).toHaveLength(4);
  });

  it('TakesNoAnswerOfAnotherEpochNorOfACaseThatWasClosed', async () => {
    const hub = new Hub();
    early(hub);
    hub.held = [];
    const model = hub.model();
    model.onSnapshot(hub.snapshot(1));
    model.toldFetch!.want();
    await settle();
    const old = hub.held.splice(0);
    hub.records.length = 0;
    model.onSnapshot(hub.snapshot(2));
    model.toldFetch!.close();
    early(hub);
    for (const go of [...old, ...hub.held.splice(0)]) go();
    await settle();
    expect(lines(model)).toEqual([]);
  });

  it('HostileAHubThatAnswersOtherThanWhatWasAskedIsNotAskedForEver', async () => {
    const hub = new Hub();
    hub.pass(10);
    const model = new CaseModel(() => [], async () => ({ records: [hub.make(3, map(1)), create(RecordSchema, {})], error: undefined }));
    model.onSnapshot(hub.snapshot());
    model.toldFetch!.want();
    await settle();
    expect(model.told.looking).toBe(false);
  });
});
