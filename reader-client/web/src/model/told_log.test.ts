import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Record as CaseRecord } from '../wire/generated/remora/v1/record_pb.js';
import { markOf } from './stamp.js';
import { edge, Hub, map, screw, tof } from './testing/told_page.js';
import type { Body } from './testing/told_page.js';
import { ToldBook } from './told.js';
import { ToldLog } from './told_log.js';

const BODIES: Body[] = [map(60), map(70), map(90), tof(4), tof(2), tof(9), edge(11), edge(4, 20), edge(8, 0), screw('L4')];

const tell = (book: ToldBook) => (r: CaseRecord) => book.add(markOf(r), r.body, () => undefined);
const lines = (book: ToldBook) => book.kinds().flatMap((k) => book.list(k).map((v) => v.text)).sort();
const happened = (book: ToldBook) => book.events().map((e) => e.text);

// What is missing at first, by places; then found from its end on, `atATime`.
function play(bodies: readonly Body[], missing: readonly [number, number][], atATime: number, thinFrom: number, mostKept: number) {
  const hub = new Hub();
  const all = bodies.map((body) => hub.put(2, body));
  const always = new ToldBook();
  all.forEach(tell(always));
  let holes = missing.map(([from, length]) => ({ floor: from, below: from + length }))
    .sort((a, b) => a.floor - b.floor).filter((h, i, of) => i === 0 || h.floor > of[i - 1]!.below);
  const book = new ToldBook();
  const log = new ToldLog(book, tell(book), (_lane, seq) => holes.filter((h) => BigInt(h.below) > seq).length, thinFrom, mostKept);
  let most = 0;
  all.forEach((record, i) => {
    const place = i + 1;
    if (holes.some((h) => h.floor <= place && place < h.below)) {
      log.open();
      return;
    }
    log.push(record);
    tell(book)(record);
    most = Math.max(most, log.size);
  });
  while (holes.length > 0) {
    const hole = holes.at(-1)!;
    const from = Math.max(hole.floor, hole.below - atATime);
    const found = all.slice(from - 1, hole.below - 1);
    hole.below = from;
    log.find(found);
    if (from === hole.floor) holes = holes.slice(0, -1);
  }
  return { always, book, most };
}
const missing = fc.array(fc.tuple(fc.integer({ min: 1, max: 80 }), fc.integer({ min: 1, max: 20 })), { maxLength: 4 });
const told = fc.array(fc.constantFrom(...BODIES), { minLength: 20, maxLength: 100 });

describe('The log of what was told', () => {
  it('TellsAgainAsIfNothingHadBeenMissing', () => {
    fc.assert(fc.property(told, missing, fc.integer({ min: 1, max: 30 }), fc.integer({ min: 2, max: 40 }), (bodies, holes, atATime, thinFrom) => {
      const { always, book } = play(bodies, holes, atATime, thinFrom, 1000);
      expect(lines(book)).toEqual(lines(always));
      expect(happened(book)).toEqual(happened(always));
    }), { numRuns: 400 });
  });

  it('ThatIsFullStillKnowsTheNewestOfEach', () => {
    fc.assert(fc.property(told, missing, fc.integer({ min: 1, max: 30 }), (bodies, holes, atATime) => {
      const { always, book } = play(bodies, holes, atATime, 4, 8);
      expect(lines(book)).toEqual(lines(always));
    }), { numRuns: 200 });
  });

  it('KeepsLittleOfWhatChangesNothing', () => {
    const bodies = Array.from({ length: 5_000 }, (_, i) => (i % 1000 === 999 ? tof(i % 4) : edge(i % 30)));
    expect(play(bodies, [[1, 2]], 10, 100, 1000).most).toBeLessThan(150);
  });
});
