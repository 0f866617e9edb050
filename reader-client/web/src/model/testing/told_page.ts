// A case's record at a hub, and a page that follows it as the hub serves it (docs/protocol.md), for tests of what is
// told beside traces.

import { create } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { MOST_RECORDS } from '../../room/history.js';
import type { HistoryAnswer, HistoryFailure } from '../../room/history.js';
import { VitalKind } from '../../wire/generated/remora/v1/case_pb.js';
import { ThresholdState } from '../../wire/generated/remora/v1/measurement_pb.js';
import { RecordSchema } from '../../wire/generated/remora/v1/record_pb.js';
import type { Record as CaseRecord } from '../../wire/generated/remora/v1/record_pb.js';
import { GapCause, GapSchema, SnapshotSchema } from '../../wire/generated/remora/v1/room_pb.js';
import { CaseModel } from '../case_model.js';

export type Body = NonNullable<MessageInitShape<typeof RecordSchema>['body']>;
export const START_S = 1_000_000;
const LANES = [0, 1, 2, 3, 4, 5];
const CONTROL_LANES = [0, 1];

// A case's record at a hub.
export class Hub {
  records: CaseRecord[] = [];
  seq = 0n;

  // A second passes with each.
  make(lane: number, body: Body, more: { unrecorded?: boolean; originSeq?: bigint; origin?: number } = {}): CaseRecord {
    this.seq++;
    return create(RecordSchema, {
      caseId: new Uint8Array(16).fill(1), origin: new Uint8Array(16).fill(more.origin ?? 2), lane, originSeq: more.originSeq ?? this.seq, body,
      stamp: { epoch: 1, seq: more.unrecorded ? 0n : this.seq, recordedUnixNs: BigInt(this.seconds) * 1_000_000_000n, unrecorded: more.unrecorded ?? false },
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
  get seconds(): number {
    return START_S + Number(this.seq);
  }
  last(lane: number): bigint {
    return this.records.findLast((r) => r.lane === lane)?.stamp!.seq ?? 0n;
  }
}

// A page that follows the case, as the hub serves it.
export class Page {
  readonly asked: { lane: number; from: bigint; to: bigint }[] = [];
  readonly model: CaseModel;
  nowMs = 0;
  linked = true;
  // How it answers from now on; undefined: with what is on record.
  failing: HistoryFailure | undefined;
  // Answers wait until they are let go.
  private held: (() => void)[] | undefined;
  private came = new Map<number, bigint>();
  private stopLooking: (() => void) | undefined;

  constructor(private readonly hub: Hub, private readonly epoch = 1) {
    this.model = new CaseModel(() => [], {
      ask: (lanes, from, to) => this.answer(lanes, from, to), nowMs: () => this.nowMs, random: () => 1 });
  }
  // A snapshot without a cursor.
  join(epoch = this.epoch): this {
    this.linked = true;
    this.model.onSnapshot(create(SnapshotSchema, {
      cursor: { epoch, lanes: LANES.map((lane) => ({ lane, seq: this.hub.last(lane) })) }, headSeq: this.hub.seq,
      state: { summary: { lastRecordUnixNs: BigInt(this.hub.seconds) * 1_000_000_000n } } }));
    for (const lane of LANES) this.came.set(lane, this.hub.last(lane));
    return this;
  }
  // With a cursor: lanes 0 and 1 whole, the snapshot, and that it was away.
  resume(): void {
    this.linked = true;
    const before = new Map(this.came);
    for (const r of this.hub.records) if (CONTROL_LANES.includes(r.lane) && r.stamp!.seq > (before.get(r.lane) ?? 0n)) this.live(r);
    this.join();
    this.gap(GapCause.WAS_AWAY, (before.get(2) ?? 0n) + 1n, this.hub.last(2));
  }
  live(record: CaseRecord): void {
    this.came.set(record.lane, record.stamp!.seq);
    this.model.onRecord(record);
  }
  gap(cause: GapCause, fromSeq: bigint, toSeq: bigint): void {
    if (fromSeq <= toSeq) this.model.onGap(create(GapSchema, { lane: 2, cause, fromSeq, toSeq, count: 1 }));
  }
  look(): this {
    this.stopLooking ??= this.model.toldFetch!.look();
    return this;
  }
  lookAway(): void {
    this.stopLooking?.();
    this.stopLooking = undefined;
  }
  hold(): this {
    this.held ??= [];
    return this;
  }
  letGo(most = Infinity): void {
    const held = this.held?.splice(0, most) ?? [];
    for (const go of held) go();
  }
  release(): void {
    this.letGo();
    this.held = undefined;
  }
  drop(): void {
    this.linked = false;
    this.letGo();
  }
  wait(ms: number): void {
    this.nowMs += ms;
    this.model.toldFetch!.tick();
  }
  private async answer(lanes: number[], from: bigint, to: bigint): Promise<HistoryAnswer> {
    this.asked.push({ lane: lanes[0]!, from, to });
    if (this.held) await new Promise<void>((go) => this.held!.push(go));
    const failure = this.linked ? this.failing : 'link';
    if (failure) return { records: [], error: failure, failure };
    const all = this.hub.records.filter((r) => lanes.includes(r.lane) && r.stamp!.seq >= from && r.stamp!.seq <= to);
    return all.length > MOST_RECORDS ? { records: all.slice(0, MOST_RECORDS), error: 'more are on record', failure: 'more' }
      : { records: all, error: undefined };
  }

  get told() {
    return this.model.told;
  }
  get lines(): string[] {
    return this.told.kinds().flatMap((k) => this.told.list(k).map((v) => v.text));
  }
  get happened(): string[] {
    return this.told.events().map((e) => e.text);
  }
  get sinceS(): number {
    return this.told.sinceMs === 0 ? 0 : this.told.sinceMs / 1000 - START_S;
  }
  get doubted(): string[] {
    return this.told.kinds().flatMap((k) => this.told.list(k).filter((v) => this.told.mayBeReplaced(v)).map((v) => v.text));
  }
}
export const settle = async (turns = 500) => { for (let i = 0; i < turns; i++) await Promise.resolve(); };
export const map = (value: number): Body => ({ case: 'vitals', value: { vitals: [{ kind: VitalKind.MEAN_ARTERIAL_PRESSURE, value }] } });
export const tof = (twitchCount: number): Body => ({ case: 'trainOfFour', value: { limb: 'left hand', twitchCount } });
export const edge = (sef95Hz: number, burstSuppressionPercent = 5, name = 'F3'): Body => ({ case: 'spectralEdge', value: {
  traceId: `EEG/L/${name}`, sef95Hz, medianHz: 5, burstSuppressionPercent, suppressionOverS: 60 } });
export const screw = (level: string): Body => ({ case: 'stimulusThreshold', value: { traceId: 'PEDICLE_SCREW/L/TA', level, state: ThresholdState.FOUND, thresholdMa: 7 } });
export const prone: Body = { case: 'positionChange', value: { position: 'prone' } };
export const laneOf = (body: Body) => (body.case === 'vitals' || body.case === 'positionChange' ? 1 : 2);

export function early(hub: Hub): void {
  hub.put(1, prone);
  hub.put(1, map(80));
  hub.put(2, screw('L4 L'));
  hub.put(2, tof(4));
  hub.pass(30_000);
  hub.put(1, map(62));
  hub.put(2, tof(1));
  hub.pass(500);
}
export const EARLY_EVENTS = ['prone', 'Unspecified L4 L threshold 7.00 mA', 'left hand 4/4, ratio 0.00', 'MAP 62 mmHg', 'left hand 1/4'];
