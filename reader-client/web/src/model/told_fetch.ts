// What was told beside traces before this page came, or while it was away: a snapshot holds none of it, so it is
// asked of the hub's record, a part at a time and the newest first, until the case's beginning or until it is
// enough. Between two parts others' requests get through; the hub sends it after everything else.
//
//   epoch begins --> lane 1, lane 2: from the snapshot's head back to 1 --> done, or enough
//   same epoch   --> both lanes: from the snapshot's head back to what was known
//   no link, refused --> goes on with the next snapshot

import { nsToMs } from '../base/format.js';
import type { HistoryAnswer } from '../room/history.js';
import type { Record as CaseRecord } from '../wire/generated/remora/v1/record_pb.js';
import { toldOf } from './told_words.js';

// Places asked for first; then so many that about RECORDS_A_STEP come.
export const FIRST_STEP = 2_000;
export const RECORDS_A_STEP = 400;
const LEAST_STEP = 100;
const MOST_STEP = 1_000_000;
// Of a lane: vital signs and drugs of a day; trains-of-four and thresholds of a day, or EEG of half an hour.
export const MOST_OF_LANE = 6_000;
export const MOST_OF_LANE_LIGHTER = 1_000;
// Of what comes while it looks back; what is older has been told again since.
export const MOST_LIVE = 6_000;
const LANES = [1, 2];

export type Ask = (lanes: number[], fromSeq: bigint, toSeq: bigint) => Promise<HistoryAnswer>;

export interface ToldListener {
  // Everything that is known, in its order: instead of what was told before.
  tellAgain(records: readonly CaseRecord[]): void;
  tell(record: CaseRecord): void;
  // Since when all that was told is known, in the hub's time: 0 from the case's beginning on.
  knownSince(atMs: number, looking: boolean): void;
}

interface Walk {
  lane: number;
  // Places below this one, down to `floor`, are not fetched yet.
  below: bigint;
  floor: bigint;
  step: number;
  taken: number;
  oldestMs: number;
}

const seqOf = (record: CaseRecord): bigint => record.stamp?.seq ?? 0n;

export class ToldFetch {
  private epoch = 0;
  private walks: Walk[] = [];
  // Of the lanes that are not known from the beginning on: the latest counts.
  private readonly sinceMs = new Map<number, number>();
  private wanted = false;
  private running = false;
  // Answers to what was asked before another epoch, or before it was closed, are of no use.
  private turn = 0;
  // Until the first look back is over: what came live, and what was fetched.
  private live: CaseRecord[] | undefined;
  private fetched: CaseRecord[] = [];
  private untold = 0;

  constructor(private readonly ask: Ask, private readonly listener: ToldListener, private readonly most: () => number) {}

  // With each snapshot: its epoch, head and time; `knownTo`: as far as this page had come before.
  onSnapshot(epoch: number, knownTo: bigint, headSeq: bigint, atMs: number): void {
    if (epoch !== this.epoch || epoch === 0) {
      this.epoch = epoch;
      this.turn++;
      this.running = false;
      this.walks = LANES.map((lane) => walk(lane, headSeq, 1n, atMs));
      for (const lane of LANES) this.sinceMs.set(lane, atMs);
      this.live = [];
      this.fetched = [];
      this.untold = 0;
    } else if (knownTo < headSeq) {
      this.walks.unshift(...LANES.map((lane) => walk(lane, headSeq, knownTo + 1n, atMs)));
    }
    this.say();
    void this.run();
  }

  // A record that tells something came.
  onLive(record: CaseRecord): void {
    this.live?.push(record);
    if (this.live && this.live.length > MOST_LIVE) this.live.shift();
  }

  // Somebody looks at it.
  want(): void {
    if (this.wanted) return;
    this.wanted = true;
    this.say();
    void this.run();
  }

  close(): void {
    this.turn++;
    this.walks = [];
    this.live = undefined;
  }

  private async run(): Promise<void> {
    if (!this.wanted || this.running || this.walks.length === 0) return;
    this.running = true;
    const turn = this.turn;
    while (this.walks.length > 0) {
      if (!(await this.step(this.walks[0]!, turn))) break;
    }
    if (turn !== this.turn) return;
    this.running = false;
    this.tellFetched();
    this.say();
  }

  // False: it goes no further now.
  private async step(walk: Walk, turn: number): Promise<boolean> {
    const to = walk.below - 1n;
    const least = to - BigInt(walk.step) + 1n;
    const from = least < walk.floor ? walk.floor : least;
    const answer = from > to ? { records: [], error: undefined } : await this.ask([walk.lane], from, to);
    if (turn !== this.turn) return false;
    if (answer.error !== undefined) {
      // Too much for one answer, or no link: then the least step fails too.
      if (walk.step <= LEAST_STEP) return false;
      walk.step = Math.max(LEAST_STEP, Math.floor(walk.step / 8));
      return true;
    }
    this.take(walk, from, answer.records);
    return true;
  }

  private take(walk: Walk, from: bigint, records: readonly CaseRecord[]): void {
    walk.below = from;
    walk.taken += records.length;
    const many = RECORDS_A_STEP / Math.max(1, records.length);
    walk.step = Math.min(MOST_STEP, Math.max(LEAST_STEP, Math.floor(walk.step * Math.min(4, Math.max(0.25, many)))));
    if (records[0]?.stamp) walk.oldestMs = nsToMs(records[0].stamp.recordedUnixNs);
    const first = walk.floor === 1n;
    const telling = records.filter((r) => toldOf(r.body).length > 0);
    if (first) this.sinceMs.set(walk.lane, from <= 1n ? 0 : walk.oldestMs);
    const isOver = from <= walk.floor || walk.taken >= this.most();
    // What was missed while away and is too much is not known from before on.
    if (!first && isOver && from > walk.floor) this.sinceMs.set(walk.lane, walk.oldestMs);
    if (isOver) this.walks = this.walks.filter((w) => w !== walk);
    this.keep(telling, isOver);
    this.say();
  }

  private keep(telling: readonly CaseRecord[], isOver: boolean): void {
    if (!this.live) {
      for (const record of telling) this.listener.tell(record);
      return;
    }
    this.fetched.push(...telling);
    this.untold += telling.length;
    // The newest at once, then each time that there is half as much more.
    if (isOver || this.untold * 3 >= this.fetched.length) this.tellFetched();
    if (this.walks.length > 0) return;
    this.live = undefined;
    this.fetched = [];
  }

  // Whether a value is news is told by the one before it: so from the oldest on.
  private tellFetched(): void {
    if (!this.live || this.untold === 0) return;
    this.untold = 0;
    this.fetched.sort((a, b) => (seqOf(a) < seqOf(b) ? -1 : 1));
    this.listener.tellAgain([...this.fetched, ...this.live]);
  }

  private say(): void {
    this.listener.knownSince(Math.max(0, ...this.sinceMs.values()), this.wanted && this.running && this.walks.length > 0);
  }
}

const walk = (lane: number, headSeq: bigint, floor: bigint, atMs: number): Walk =>
  ({ lane, below: headSeq + 1n, floor, step: FIRST_STEP, taken: 0, oldestMs: atMs });
