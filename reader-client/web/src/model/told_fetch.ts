// What was told beside traces before this page came, or while it was away: a snapshot holds none of it, so it is
// asked of the hub's record where somebody looks at it, a part at a time and the newest first, until the case's
// beginning or until it is enough. The hub sends it after everything else.
//
// What is not known is kept as holes, each of one lane. A follow that resumes brings lanes 0 and 1 whole before its
// snapshot, and of lane 2 nothing: so how far this page has come is known by lane.
//
//   epoch begins            --> each lane: from its beginning to the snapshot
//   snapshot, same epoch    --> each lane: behind the last that came, to the snapshot
//   gap of a slow follower  --> its lane: what was left out
//   no answer, no link      --> asked again a while later, and with the next snapshot
//   refused                 --> asked again with the next snapshot
//   enough                  --> what is below is not asked for: "told since" says so

import { batch } from '@preact/signals';
import { nsToMs } from '../base/format.js';
import type { HistoryAnswer } from '../room/history.js';
import type { Record as CaseRecord } from '../wire/generated/remora/v1/record_pb.js';
import { GapCause } from '../wire/generated/remora/v1/room_pb.js';
import type { Gap, Snapshot } from '../wire/generated/remora/v1/room_pb.js';
import type { Looking, ToldBook } from './told.js';
import type { ToldLog } from './told_log.js';
import { toldOf } from './told_words.js';

export interface FetchLimits {
  // Of a lane, records of one hole: vital signs and drugs of a day; trains-of-four and thresholds of a day, or EEG
  // of half an hour.
  readonly ofLane: number;
  // About so many records are asked for at a time.
  readonly aStep: number;
  // Places asked for at a time. Where nearly all were of other lanes, the ones before may all be of this one: so no
  // more than an answer may have (room/history.ts), and than a link carries while a person's request waits behind.
  readonly places: number;
}
export const FETCHES: FetchLimits = { ofLane: 6_000, aStep: 400, places: 16_000 };
// On a screen that is set lighter, and on a link that carries no bulk.
export const FETCHES_LIGHTER: FetchLimits = { ofLane: 1_000, aStep: 100, places: 2_000 };
const FIRST_STEP = 500;
const LEAST_STEP = 100;
// Of one hole: 4,000,000 places, which is 10 h of 100 records a second.
export const MOST_ASKS = 250;
// Of a link that is lost again and again; beyond, two are asked for as one.
export const MOST_HOLES = 16;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;
// Lane 0 is whole in the snapshot, and 3-5 tell nothing beside traces.
const LANES = [1, 2];

export type Ask = (lanes: number[], fromSeq: bigint, toSeq: bigint) => Promise<HistoryAnswer>;

// The case's record, and what it takes to ask it again later: `nowMs` on this machine's monotonic clock.
export interface FetchParts {
  ask: Ask;
  nowMs: () => number;
  random: () => number;
}

interface Hole {
  readonly lane: number;
  // Places from `floor` to before `below` are not known.
  readonly floor: bigint;
  below: bigint;
  // All that was told behind it is known from then on, in the hub's time.
  knownMs: number;
  step: number;
  taken: number;
  asks: number;
  // How often in a row its next part could not be read.
  unread: number;
}

export class ToldFetch {
  private epoch = 0;
  // By lane, how far this page has come.
  private readonly come = new Map<number, bigint>();
  private comeMs = 0;
  private holes: Hole[] = [];
  // By lane, what is above the holes that are not asked for any more.
  private readonly ends = new Map<number, { from: bigint; ms: number }>();
  private lookers = 0;
  private asking = false;
  // Answers to what was asked in another epoch, or before the case was closed, are of no use.
  private turn = 0;
  private failures = 0;
  private againAtMs: number | undefined;
  private isRefused = false;

  // `log` is told what comes; `isLighter`: less is to be asked for.
  constructor(
    private readonly parts: FetchParts, private readonly book: ToldBook, private readonly log: ToldLog,
    private readonly isLighter: () => boolean) {}

  // With each snapshot, made at `atMs`. Its cursor has the last place of each lane.
  onSnapshot({ cursor, headSeq }: Snapshot, atMs: number): void {
    const epoch = cursor?.epoch ?? 0;
    if (epoch === 0 || epoch !== this.epoch) {
      this.forget();
      this.epoch = epoch;
    } else {
      this.log.voidUnrecorded();
    }
    this.comeMs = Math.max(this.comeMs, atMs);
    for (const lane of LANES) {
      this.miss(lane, (this.come.get(lane) ?? 0n) + 1n, cursor?.lanes.find((l) => l.lane === lane)?.seq ?? headSeq);
    }
    this.failures = 0;
    this.againAtMs = undefined;
    this.isRefused = false;
    this.goOn();
  }

  // What a slow follower was not sent. A newer one of the same thing came for what was replaced; what was missed
  // while away is known from the snapshot.
  onGap({ lane, fromSeq, toSeq, cause }: Gap): void {
    if (!LANES.includes(lane) || fromSeq === 0n || ![GapCause.SLOW_FOLLOWER, GapCause.BUDGET, GapCause.LATE].includes(cause)) return;
    this.miss(lane, fromSeq, toSeq);
    this.goOn();
  }

  // A record came live, at its place in its lane.
  onPlace(lane: number, seq: bigint, recordedMs: number): void {
    if (seq > (this.come.get(lane) ?? 0n)) this.come.set(lane, seq);
    if (recordedMs > this.comeMs) this.comeMs = recordedMs;
  }

  // One that tells something is going to be told.
  onTold(record: CaseRecord): void {
    this.log.push(record);
    if (this.log.size > 0) this.settle();
  }

  // Somebody looks at it, until the function is called that comes back.
  look(): () => void {
    let looks = true;
    this.lookers++;
    this.goOn();
    return () => {
      if (!looks) return;
      looks = false;
      this.lookers--;
      this.say();
    };
  }

  // Called a few times a second.
  tick(): void {
    if (this.againAtMs === undefined || this.parts.nowMs() < this.againAtMs) return;
    this.againAtMs = undefined;
    this.goOn();
  }

  // The case is not shown any more.
  close(): void {
    this.forget();
    this.epoch = 0;
  }

  // Records that are kept meanwhile.
  get kept(): number {
    return this.log.size;
  }

  // The part of its lane that a place is in: between two parts is a hole.
  part(lane: number, seq: bigint): number {
    let above = 0;
    for (const hole of this.holes) if (hole.lane === lane && hole.below > seq) above++;
    return above;
  }

  private forget(): void {
    this.turn++;
    this.asking = false;
    this.holes = [];
    this.ends.clear();
    this.come.clear();
    this.comeMs = 0;
    this.log.close();
  }

  private miss(lane: number, from: bigint, to: bigint): void {
    if (from > to) return;
    if (to > (this.come.get(lane) ?? 0n)) this.come.set(lane, to);
    this.log.open();
    this.holes.push({ lane, floor: from, below: to + 1n, knownMs: this.comeMs, step: FIRST_STEP, taken: 0, asks: 0, unread: 0 });
    if (this.holes.length <= MOST_HOLES) return;
    const [a, b] = this.holes.filter((h) => h.lane === lane).sort((x, y) => (x.floor < y.floor ? -1 : 1));
    if (a && b) this.holes = [...this.holes.filter((h) => h !== a && h !== b), { ...b, floor: a.floor }];
  }

  private goOn(): void {
    this.settle();
    this.run();
    this.say();
  }

  private run(): void {
    if (this.asking || this.lookers === 0 || this.isRefused || this.againAtMs !== undefined) return;
    const hole = this.next();
    if (!hole) return;
    const to = hole.below - 1n;
    const least = hole.below - BigInt(Math.min(hole.step, this.limits().places));
    const from = least > hole.floor ? least : hole.floor;
    const { turn } = this;
    const done = (answer: HistoryAnswer) => {
      if (turn !== this.turn) return;
      this.asking = false;
      batch(() => {
        if (this.holes.includes(hole)) this.take(hole, from, to, answer);
        this.goOn();
      });
    };
    this.asking = true;
    this.parts.ask([hole.lane], from, to)
      .catch((error: unknown): HistoryAnswer => ({ records: [], error: String(error), failure: 'link' })).then(done);
  }

  // So both lanes are known back to about the same time. What cannot be read holds up nothing else.
  private next(): Hole | undefined {
    return [...this.holes].sort((a, b) => a.unread - b.unread || (a.below > b.below ? -1 : 1))[0];
  }

  private take(hole: Hole, from: bigint, to: bigint, answer: HistoryAnswer): void {
    // In so few places it is no more than an answer may have: what is left is not to be understood here.
    const isLeft = answer.failure === 'more' && hole.step <= LEAST_STEP;
    if (answer.error !== undefined && !isLeft) return this.fail(hole, answer);
    this.failures = 0;
    const got = within(answer.records, hole.lane, from, to);
    hole.unread = 0;
    hole.below = from;
    hole.taken += got.length;
    hole.asks++;
    if (got[0]) hole.knownMs = nsToMs(got[0].stamp!.recordedUnixNs);
    const limits = this.limits();
    const many = Math.min(4, Math.max(0.25, limits.aStep / Math.max(1, got.length)));
    hole.step = Math.max(LEAST_STEP, Math.min(limits.places, Math.floor(hole.step * many)));
    const telling = got.filter((r) => toldOf(r.body).length > 0);
    if (telling.length > 0) this.log.find(telling);
    if (from <= hole.floor) this.holes = this.holes.filter((h) => h !== hole);
    else if (hole.taken >= limits.ofLane || hole.asks >= MOST_ASKS) this.end(hole);
  }

  // Enough of it: what lies below is not asked for either.
  private end(hole: Hole): void {
    this.ends.set(hole.lane, { from: hole.below, ms: hole.knownMs });
    this.holes = this.holes.filter((h) => h.lane !== hole.lane || h.below > hole.below);
  }

  private fail(hole: Hole, answer: HistoryAnswer): void {
    if (answer.failure === 'refused') {
      this.isRefused = true;
      return;
    }
    if (answer.failure === 'unread') hole.unread++;
    if (answer.failure !== 'busy') hole.step = Math.max(LEAST_STEP, Math.floor(hole.step / 4));
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(this.failures, 10));
    this.failures++;
    this.againAtMs = this.parts.nowMs() + wait * (0.5 + 0.5 * this.parts.random());
  }

  private limits(): FetchLimits {
    return this.isLighter() ? FETCHES_LIGHTER : FETCHES;
  }

  private settle(): void {
    if (this.holes.length === 0 && !this.log.isVoidable) this.log.finish();
  }

  private say(): void {
    const from = new Map<number, bigint>();
    let sinceMs = 0;
    const notBefore = (lane: number, seq: bigint, ms: number) => {
      if (seq > (from.get(lane) ?? 0n)) from.set(lane, seq);
      sinceMs = Math.max(sinceMs, ms);
    };
    for (const [lane, end] of this.ends) notBefore(lane, end.from, end.ms);
    for (const hole of this.holes) notBefore(hole.lane, hole.below, hole.knownMs);
    this.book.know(sinceMs, from, this.looking());
  }

  private looking(): Looking {
    if (this.holes.length === 0) return 'no';
    if (this.isRefused) return 'refused';
    if (this.againAtMs !== undefined) return 'later';
    return this.asking ? 'now' : 'no';
  }
}

// In their order, each once, and nothing that was not asked for.
function within(records: readonly CaseRecord[], lane: number, from: bigint, to: bigint): CaseRecord[] {
  const bySeq = new Map<bigint, CaseRecord>();
  for (const record of records) {
    const seq = record.stamp?.seq ?? 0n;
    if (record.lane === lane && seq >= from && seq <= to && !record.stamp?.unrecorded) bySeq.set(seq, record);
  }
  return [...bySeq.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, record]) => record);
}
