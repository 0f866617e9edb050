// What was told since there is something before it that is not known yet: with each older part that is found, all
// of it is told again in its order, since only what came before says whether a value is news. It is open while a
// part is missing, or while something of it is not on record: a snapshot voids that, and what stood before it
// stands again.

import { batch } from '@preact/signals';
import type { Record as CaseRecord } from '../wire/generated/remora/v1/record_pb.js';
import type { Id } from '../wire/record_id.js';
import { better, markOf } from './stamp.js';
import type { Mark } from './stamp.js';
import type { ToldBook, ToldState } from './told.js';
import { toldOf } from './told_words.js';

// From so many records on, those that change nothing are left out: EEG of some minutes.
export const THIN_FROM = 2_000;
// Vital signs, trains-of-four and thresholds of a day. Beyond that the book stands as it is, and what is found
// later is put in where it is the newest, or an event by itself.
export const MOST_KEPT = 12_000;

const isOnRecord = (mark: Mark): boolean => !mark.unrecorded && !mark.pending;

export class ToldLog {
  // The book before the first of `records`.
  private before: ToldState | undefined;
  // In the order in which they came since the last time that all was told; undefined: closed.
  private records: CaseRecord[] | undefined;
  private thinAt: number;
  private readonly unrecorded = new Set<Id>();
  // Something took its place on record after it was told.
  private isOutOfOrder = false;

  // `part`: of a record that is on record; between two of one part and lane nothing is missing.
  constructor(
    private readonly book: ToldBook, private readonly tell: (record: CaseRecord) => void,
    private readonly part: (lane: number, seq: bigint) => number,
    private readonly thinFrom = THIN_FROM, private readonly mostKept = MOST_KEPT) {
    this.thinAt = thinFrom;
  }

  get size(): number {
    return this.records?.length ?? 0;
  }

  // Something that is not on record was told.
  get isVoidable(): boolean {
    return this.unrecorded.size > 0;
  }

  // With the book as it stands now.
  open(): void {
    if (this.records) return;
    this.before = this.book.state();
    this.records = [];
  }

  close(): void {
    this.before = undefined;
    this.records = undefined;
    this.unrecorded.clear();
    this.isOutOfOrder = false;
    this.thinAt = this.thinFrom;
  }

  // Nothing is missing, and all of it is on record.
  finish(): void {
    if (this.records && this.isOutOfOrder) this.tellAgain();
    this.close();
  }

  // A record that is going to be told.
  push(record: CaseRecord): void {
    this.fit();
    const mark = markOf(record);
    if (isOnRecord(mark)) {
      if (this.unrecorded.delete(mark.id)) this.isOutOfOrder = true;
    } else {
      this.open();
      this.unrecorded.add(mark.id);
    }
    this.records?.push(record);
  }

  // Older ones that were found: all is told again.
  find(records: readonly CaseRecord[]): void {
    this.open();
    for (const record of records) this.records!.push(record);
    this.tellAgain();
  }

  // A snapshot came.
  voidUnrecorded(): void {
    if (this.unrecorded.size === 0 || !this.records) return;
    this.unrecorded.clear();
    this.records = this.records.filter((r) => isOnRecord(markOf(r)));
    this.tellAgain();
  }

  private tellAgain(): void {
    batch(() => {
      this.records = inOrder(this.records!);
      this.book.restore(this.before);
      for (const record of this.records) this.tell(record);
    });
    this.fit();
  }

  // All of it has been told.
  private fit(): void {
    if (!this.records || this.records.length < this.thinAt) return;
    this.records = this.thinned(inOrder(this.records));
    if (this.records.length > this.mostKept) {
      this.before = this.book.state();
      this.records = [];
      this.unrecorded.clear();
    }
    this.thinAt = Math.max(this.thinFrom, 2 * this.records.length);
  }

  // Without what changes nothing, whatever is found before it: nothing new in a state that is told again, and no
  // value that has been replaced within its part.
  private thinned(records: readonly CaseRecord[]): CaseRecord[] {
    const needed = new Set<CaseRecord>();
    const newest = new Map<string, CaseRecord>();
    const states = new Map<string, string>();
    for (const record of records) {
      const mark = markOf(record);
      if (!isOnRecord(mark)) needed.add(record);
      const part = `${record.lane}/${this.part(record.lane, mark.seq)}`;
      for (const { kind, key, news } of toldOf(record.body)) {
        newest.set(`${kind} ${key}`, record);
        const at = `${part} ${kind} ${key}`;
        const isSame = news.by === 'none' || (news.by === 'state' && states.get(at) === news.state);
        if (news.by === 'state') states.set(at, news.state);
        if (!isSame) needed.add(record);
      }
    }
    for (const record of newest.values()) needed.add(record);
    return records.filter((r) => needed.has(r));
  }
}

// By their places, each once; last what has no place yet, as it came.
function inOrder(records: readonly CaseRecord[]): CaseRecord[] {
  const best = new Map<Id, { record: CaseRecord; mark: Mark }>();
  for (const record of records) {
    const mark = markOf(record);
    if (better(mark, best.get(mark.id)?.mark)) best.set(mark.id, { record, mark });
  }
  return [...best.values()].sort((a, b) => before(a.mark.seq, b.mark.seq)).map((r) => r.record);
}

function before(a: bigint, b: bigint): number {
  if (a === b) return 0;
  return a !== 0n && (b === 0n || a < b) ? -1 : 1;
}
