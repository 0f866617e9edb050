// What the hub did not send to this screen, by cause: on record, and never lost in silence.

import { signal } from '@preact/signals';
import type { Gap } from '../wire/generated/remora/v1/room_pb.js';
import { GapCause } from '../wire/generated/remora/v1/room_pb.js';

export interface LeftOut {
  cause: GapCause;
  // 0: not counted.
  count: number;
  lanes: ReadonlySet<number>;
  fromSeq: bigint;
  toSeq: bigint;
}

export interface Late {
  snapshots: number;
  // The last place of what came late since the last snapshot; 0: nothing did.
  to: bigint;
}

const FIRST_PAINTED_LANE = 3;

export class LeftOutBook {
  readonly all = signal<ReadonlyMap<GapCause, LeftOut>>(new Map());
  // The link carries no bulk beside alerts, events and measurements.
  readonly slowLink = signal(false);
  // A person asked for less on this screen: no EMG, and sweeps within a budget. Outlasts snapshots.
  readonly lighter = signal(false);

  // How many snapshots came: what came late before the last one, or while this page was away, is not counted here.
  private snapshots = 0;

  clear(): void {
    this.snapshots++;
    this.all.value = new Map();
    this.slowLink.value = false;
  }

  add(gap: Gap): void {
    // An older sweep that a newer one replaced is no loss to a screen.
    if (gap.cause === GapCause.REPLACED_BY_NEWER) return;
    if (gap.cause === GapCause.SLOW_LINK) this.slowLink.value = true;
    const known = this.all.value.get(gap.cause);
    const least = (a: bigint, b: bigint) => (a === 0n || (b !== 0n && b < a) ? b : a);
    this.all.value = new Map(this.all.value).set(gap.cause, {
      cause: gap.cause,
      count: (known?.count ?? 0) + gap.count,
      lanes: new Set([...(known?.lanes ?? []), gap.lane]),
      fromSeq: known ? least(known.fromSeq, gap.fromSeq) : gap.fromSeq,
      toSeq: known && known.toSeq > gap.toSeq ? known.toSeq : gap.toSeq,
    });
  }

  // A record came: a link that was too slow for its kind carries it again.
  came(lane: number): void {
    if (lane >= FIRST_PAINTED_LANE && this.slowLink.value) this.slowLink.value = false;
  }

  forget(cause: GapCause): void {
    const next = new Map(this.all.value);
    if (next.delete(cause)) this.all.value = next;
  }

  get(cause: GapCause): LeftOut | undefined {
    return this.all.value.get(cause);
  }

  // How far something came late, for a look through it.
  late(): Late {
    return { snapshots: this.snapshots, to: this.all.value.get(GapCause.LATE)?.toSeq ?? 0n };
  }

  // What is not told in words of its own.
  otherCount(): number {
    let count = 0;
    for (const { cause, count: n } of this.all.value.values()) {
      if (cause !== GapCause.LATE && cause !== GapCause.SLOW_LINK && cause !== GapCause.WAS_AWAY) count += n;
    }
    return count;
  }
}

// "about 58 kbit/s".
export function rateWords(bitsPerSecond: number): string {
  if (!(bitsPerSecond > 0)) return '';
  return bitsPerSecond < 999_500 ? `about ${Math.round(bitsPerSecond / 1000)} kbit/s` : `about ${(bitsPerSecond / 1e6).toFixed(1)} Mbit/s`;
}
