// Times in which nobody could watch as usual: the agent's link was away, or what was shown was not on
// record. Each stays unread until a reader says to have looked through what came late.

import { signal } from '@preact/signals';
import type { BacklogReviewed, LinkState, UnrecordedInterval } from '../wire/generated/remora/v1/link_pb.js';
import { LinkCondition } from '../wire/generated/remora/v1/link_pb.js';
import { nsToMs } from '../base/format.js';
import { LOST_MS } from '../wire/link_age.js';
import { idFrom } from '../wire/record_id.js';
import type { Id } from '../wire/record_id.js';
import { better, byOrder } from './stamp.js';
import { readsCases } from './words.js';
import type { Mark } from './stamp.js';

// As the hub counts them: what was only stale is no outage.
export const OUTAGE_MS = LOST_MS;

export interface Interval {
  mark: Mark;
  kind: 'outage' | 'unrecorded';
  // Where in the record to look from: what came late lies before the mark too.
  firstSeq: bigint;
  // In the hub's time.
  fromMs: number;
  toMs: number;
  cause: string;
  // Shown while nothing was recorded.
  shownCount: number;
  // Who looked through it, and when.
  reviewed: { actor: string; mark: Mark } | undefined;
}

export class IntervalBook {
  readonly version = signal(0);
  private readonly intervals = new Map<Id, Interval>();
  private readonly reviews = new Map<Id, { actor: string; mark: Mark }>();

  clear(): void {
    this.intervals.clear();
    this.reviews.clear();
    this.version.value++;
  }

  // `endMs`: when the hub wrote it, which may be long before it could record it.
  addLink(mark: Mark, link: LinkState, endMs: number = mark.atMs): void {
    if (link.ownView || readsCases(link.role) || link.condition !== LinkCondition.LIVE || !(link.outageMs >= OUTAGE_MS)) return;
    this.add({
      mark, kind: 'outage', firstSeq: link.firstSeq || mark.seq, fromMs: endMs - link.outageMs, toMs: endMs, cause: '', shownCount: 0,
    });
  }

  addUnrecorded(mark: Mark, interval: UnrecordedInterval): void {
    this.add({
      mark, kind: 'unrecorded', firstSeq: interval.firstSeq || mark.seq, fromMs: nsToMs(interval.fromUnixNs), toMs: nsToMs(interval.toUnixNs),
      cause: interval.cause, shownCount: interval.shownCount,
    });
  }

  addReview(mark: Mark, review: BacklogReviewed): void {
    const id = idFrom(review.interval);
    if (!id || !better(mark, this.reviews.get(id)?.mark)) return;
    this.reviews.set(id, { actor: review.actor, mark });
    const interval = this.intervals.get(id);
    if (interval) this.intervals.set(id, { ...interval, reviewed: this.reviews.get(id) });
    this.version.value++;
  }

  // A review of this page that the hub refused.
  removeReview(mark: Id): void {
    for (const [id, review] of this.reviews) {
      if (review.mark.id !== mark) continue;
      this.reviews.delete(id);
      const interval = this.intervals.get(id);
      if (interval) this.intervals.set(id, { ...interval, reviewed: undefined });
      this.version.value++;
    }
  }

  // The newest last.
  list(): Interval[] {
    return [...this.intervals.values()].sort((a, b) => byOrder(a.mark, b.mark));
  }

  // A review that is not on record counts for nothing yet.
  unread(): Interval[] {
    return this.list().filter((i) => i.reviewed === undefined || i.reviewed.mark.seq === 0n);
  }

  private add(interval: Omit<Interval, 'reviewed'>): void {
    if (!better(interval.mark, this.intervals.get(interval.mark.id)?.mark)) return;
    this.intervals.set(interval.mark.id, { ...interval, reviewed: this.reviews.get(interval.mark.id) });
    this.version.value++;
  }
}
