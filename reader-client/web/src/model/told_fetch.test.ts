import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MOST_RECORDS } from '../room/history.js';
import type { Record as CaseRecord } from '../wire/generated/remora/v1/record_pb.js';
import { GapCause } from '../wire/generated/remora/v1/room_pb.js';
import { CaseModel } from './case_model.js';
import { EARLY_EVENTS, early, edge, Hub, laneOf, map, Page, prone, screw, settle, tof } from './testing/told_page.js';
import type { Body } from './testing/told_page.js';
import { FETCHES, FETCHES_LIGHTER, MOST_ASKS, MOST_HOLES } from './told_fetch.js';

describe('Who joins late', () => {
  it('SeesTheNewestOfAllThatWasToldBeforeFromTheBeginningOn', async () => {
    const hub = new Hub();
    early(hub);
    const page = new Page(hub).join();
    expect([page.lines, page.sinceS]).toEqual([[], 30_506]);
    page.look();
    expect(page.told.looking).toBe('now');
    await settle();
    expect(page.lines).toEqual(['prone', 'MAP 62 mmHg', 'left hand 1/4', 'L4 L threshold 7.00 mA'].map((l) => expect.stringContaining(l)));
    expect(page.happened).toEqual(EARLY_EVENTS);
    expect([page.sinceS, page.told.looking, page.doubted]).toEqual([0, 'no', []]);
    expect(new Set(page.asked.map((a) => a.lane))).toEqual(new Set([1, 2]));
  });

  it('AsksOnlyWhileSomebodyLooks', async () => {
    const hub = new Hub();
    early(hub);
    const page = new Page(hub).join();
    await settle();
    expect(page.asked).toEqual([]);
    page.hold().look();
    page.lookAway();
    page.release();
    await settle();
    expect(page.asked).toHaveLength(1);
    expect(page.sinceS).toBeGreaterThan(0);
    page.look();
    await settle();
    expect([page.sinceS, page.happened]).toEqual([0, EARLY_EVENTS]);
  });

  it('AsksNothingOfACaseInWhichNothingWasToldYet', async () => {
    const hub = new Hub();
    hub.put(0, { case: 'alert', value: {} });
    const page = new Page(hub).join().look();
    await settle();
    expect([page.asked, page.sinceS]).toEqual([[], 0]);
  });

  it('HasTheNewestFirstAndStopsWhereItIsEnough', async () => {
    const hub = new Hub();
    hub.put(2, screw('L4 L'));
    hub.put(1, prone);
    for (let i = 0; i < FETCHES.ofLane + 2_000; i++) hub.put(2, edge(10));
    const page = new Page(hub).join().look();
    await settle();
    expect(page.lines).toEqual(['prone', expect.stringContaining('F3 SEF95')]);
    expect(page.sinceS).toBeGreaterThan(10);
    expect(page.sinceS).toBeLessThan(2_100);
    expect(page.asked[0]!.to).toBe(BigInt(FETCHES.ofLane + 2_002));
    expect(page.told.looking).toBe('no');
    const asked = page.asked.length;
    page.wait(100_000);
    await settle();
    expect(page.asked).toHaveLength(asked);
  });

  it('OnAScreenThatIsSetLighterAsksForLess', async () => {
    const hub = new Hub();
    for (let i = 0; i < 5 * FETCHES_LIGHTER.ofLane; i++) hub.put(2, edge(10));
    const page = new Page(hub);
    page.model.leftOut.lighter.value = true;
    page.join().look();
    await settle();
    const got = hub.records.length - page.sinceS;
    expect(got).toBeGreaterThanOrEqual(FETCHES_LIGHTER.ofLane - 1);
    expect(got).toBeLessThan(2 * FETCHES_LIGHTER.ofLane);
    for (const { from, to } of page.asked) expect(Number(to - from)).toBeLessThan(FETCHES_LIGHTER.places);
  });

  it('NeverAsksForMoreThanAnAnswerMayHoldWhereADensePartLiesBehindASparseOne', async () => {
    const hub = new Hub();
    hub.put(2, tof(4));
    for (let i = 0; i < 50_000; i++) hub.put(2, edge(10));
    hub.pass(300_000);
    hub.put(2, tof(2));
    const page = new Page(hub).join().look();
    await settle();
    for (const { from, to } of page.asked) expect(Number(to - from) + 1).toBeLessThanOrEqual(Math.min(FETCHES.places, MOST_RECORDS));
    expect(page.lines).toEqual(['left hand 2/4', expect.stringContaining('F3 SEF95')]);
    expect(page.told.looking).toBe('no');
    expect(page.asked.length).toBeLessThan(40);
  });

  it('OfALongCaseTakesBoundedMemoryAndAsks', async () => {
    const hub = new Hub();
    for (let i = 0; i < 100_000; i++) hub.put(i % 50 === 0 ? 1 : 2, i % 50 === 0 ? map(60 + (i % 7)) : edge(i % 30));
    const page = new Page(hub).join().look();
    await settle(2_000);
    expect(page.asked.length).toBeLessThan(60);
    expect(page.sinceS).toBeGreaterThan(90_000);
    expect(page.lines).toHaveLength(2);
    const sparse = new Hub();
    sparse.put(2, tof(4));
    sparse.pass(100_000_000);
    sparse.put(2, tof(3));
    const other = new Page(sparse).join().look();
    await settle(4_000);
    expect(other.asked).toHaveLength(MOST_ASKS);
    expect([other.lines, other.told.looking]).toEqual([['left hand 3/4'], 'no']);
    expect(other.sinceS).toBeGreaterThan(0);
  });
});

describe('Who was away', () => {
  // Known from the beginning on; then away, while lanes 1 and 2 go on.
  async function away(missed: Body[]): Promise<[Hub, Page]> {
    const hub = new Hub();
    early(hub);
    const page = new Page(hub).join().look();
    await settle();
    page.drop();
    for (const body of missed) hub.put(laneOf(body), body);
    page.asked.length = 0;
    return [hub, page];
  }

  it('SeesTheTrainOfFourThatItMissedThoughLaneOneCameBehindIt', async () => {
    const [, page] = await away([tof(0), map(50), prone, map(49)]);
    page.resume();
    await settle();
    expect(page.lines).toContain('left hand 0/4');
    expect(page.lines).toContain('MAP 49 mmHg');
    expect(page.happened).toEqual([...EARLY_EVENTS, 'left hand 0/4', 'MAP 50 mmHg', 'prone']);
    expect(new Set(page.asked.map((a) => a.lane))).toEqual(new Set([2]));
    expect(page.asked.reduce((n, { from, to }) => n + Number(to - from) + 1, 0)).toBe(501);
    expect([page.sinceS, page.doubted]).toEqual([0, []]);
  });

  it('IsToldThatAnOldValueMayHaveBeenReplacedUntilItIsKnown', async () => {
    const [, page] = await away([map(50), tof(0), map(49)]);
    page.hold().resume();
    await settle();
    // What lane 1 brought is the newest; a train-of-four of before is not said to be.
    expect(page.lines).toContain('left hand 1/4');
    expect(page.doubted.sort()).toEqual([expect.stringContaining('L4 L'), 'left hand 1/4'].sort());
    expect([page.sinceS, page.told.looking]).toEqual([30_509, 'now']);
    page.release();
    await settle();
    expect(page.lines).toContain('left hand 0/4');
    expect([page.sinceS, page.doubted]).toEqual([0, []]);
  });

  it('ForLongerThanIsAskedForIsToldSoForGood', async () => {
    const [, page] = await away([tof(0), ...Array.from({ length: FETCHES.ofLane + 3_000 }, () => edge(10)), map(50)]);
    page.resume();
    await settle();
    expect(page.lines).toContain('left hand 1/4');
    expect(page.doubted).toContain('left hand 1/4');
    expect(page.doubted).not.toContain('MAP 50 mmHg');
    expect(page.sinceS).toBeGreaterThan(30_600);
    expect(page.told.looking).toBe('no');
  });

  it('ForLongerThanIsAskedForIsNotSentWhatLiesBelowThat', async () => {
    const hub = new Hub();
    early(hub);
    const page = new Page(hub).join();
    page.drop();
    for (let i = 0; i < FETCHES.ofLane + 3_000; i++) hub.put(2, edge(10));
    page.resume();
    page.look();
    await settle();
    expect(page.told.looking).toBe('no');
    expect(page.asked.filter((a) => a.lane === 2 && a.to < 31_000n)).toEqual([]);
    expect(page.lines).toContain('prone');
    expect(page.sinceS).toBeGreaterThan(30_600);
  });

  it('AndStartsFromASnapshotMissesNothingOfEitherLane', async () => {
    const [, page] = await away([tof(0), map(50), tof(2), map(70)]);
    page.join();
    await settle();
    expect(page.happened).toEqual([...EARLY_EVENTS, 'left hand 0/4', 'MAP 50 mmHg', 'left hand 2/4', 'MAP 70 mmHg']);
    expect(new Set(page.asked.map((a) => a.lane))).toEqual(new Set([1, 2]));
  });

  it('AgainAndAgainAsksForFewHolesAndMissesNothing', async () => {
    const [hub, page] = await away([]);
    page.failing = 'busy';
    for (let i = 0; i < 3 * MOST_HOLES; i++) {
      page.drop();
      hub.put(2, tof(i % 4));
      page.resume();
      page.live(hub.put(2, edge(i)));
      await settle(20);
    }
    page.failing = undefined;
    page.asked.length = 0;
    page.wait(100_000);
    await settle();
    expect(page.asked.length).toBeLessThanOrEqual(MOST_HOLES + 1);
    expect(page.happened.filter((t) => t.startsWith('left hand'))).toHaveLength(2 + 3 * MOST_HOLES);
    expect([page.sinceS, page.doubted]).toEqual([0, []]);
  });
});

describe('Who is too slow', () => {
  it('SeesWhatTheHubLeftOutOfLaneTwoAndNotWhatANewerOneReplaced', async () => {
    const hub = new Hub();
    early(hub);
    const page = new Page(hub).join().look();
    await settle();
    page.asked.length = 0;
    const left = [hub.put(2, screw('L5 R')), hub.put(2, tof(3))];
    page.gap(GapCause.REPLACED_BY_NEWER, left[0]!.stamp!.seq, left[1]!.stamp!.seq);
    expect(page.asked).toEqual([]);
    page.hold().gap(GapCause.SLOW_FOLLOWER, left[0]!.stamp!.seq, left[1]!.stamp!.seq);
    page.live(hub.put(2, tof(2)));
    expect(page.doubted).toEqual([expect.stringContaining('L4 L')]);
    page.release();
    await settle();
    expect(page.lines).toContainEqual(expect.stringContaining('L5 R'));
    expect(page.happened.slice(-3)).toEqual([expect.stringContaining('L5 R'), expect.stringContaining('left hand 3/4'), expect.stringContaining('left hand 2/4')]);
    expect([page.sinceS, page.doubted]).toEqual([0, []]);
  });
});

describe('Whatever happens to its link, a page', () => {
  type Step = { do: 'put' | 'show'; body: Body } | { do: 'drop' | 'resume' | 'join' | 'away' | 'look' | 'hold' | 'go' | 'busy' | 'well' | 'leave out' | 'record' };
  const bodies = [map(60), map(70), map(90), tof(4), tof(2), edge(11), edge(4, 20), edge(8, 0), screw('L4'), screw('L5'), prone];
  const body = fc.constantFrom(...bodies);
  const steps = fc.array(fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('put' as const), body }) }, fc.record({ do: fc.constant('show' as const), body }),
    { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('drop', 'resume', 'join', 'away', 'look', 'hold', 'go', 'busy', 'well', 'leave out', 'record') }) }) as fc.Arbitrary<Step>,
  { minLength: 10, maxLength: 80 });

  class Play {
    readonly hub = new Hub();
    readonly page = new Page(this.hub);
    readonly always = new CaseModel();
    private isFollowed = false;
    // Not on disk, and so nothing behind it is either.
    private shown: CaseRecord[] = [];

    private show(body: Body): void {
      const record = this.hub.make(laneOf(body), body, { unrecorded: true });
      this.shown.push(record);
      if (this.isFollowed) this.page.model.onRecord(record);
    }
    private take(record: CaseRecord): void {
      this.hub.records.push(record);
      this.always.onRecord(record);
      if (this.isFollowed) this.page.live(record);
    }
    private record(): void {
      for (const { lane, body, originSeq } of this.shown.splice(0)) this.take(this.hub.make(lane, body, { originSeq }));
    }
    private follow(how: 'join' | 'resume'): void {
      this.page[how]();
      this.isFollowed = true;
      for (const record of this.shown) this.page.model.onRecord(record);
    }
    do(step: Step): void {
      const { page } = this;
      switch (step.do) {
        case 'put': this.shown.length > 0 ? this.show(step.body) : this.take(this.hub.make(laneOf(step.body), step.body)); break;
        case 'show': this.show(step.body); break;
        case 'record': this.record(); break;
        case 'leave out': {
          if (!this.isFollowed || this.shown.length > 0) break;
          const record = this.hub.put(2, tof(3));
          this.always.onRecord(record);
          page.gap(GapCause.SLOW_FOLLOWER, record.stamp!.seq, record.stamp!.seq);
          break;
        }
        case 'drop': page.drop(); this.isFollowed = false; break;
        case 'resume': if (!this.isFollowed) this.follow('resume'); break;
        case 'join': this.follow('join'); break;
        case 'busy': page.failing = 'busy'; break;
        case 'well': page.failing = undefined; break;
        case 'look': page.look(); break;
        case 'away': page.lookAway(); break;
        case 'hold': page.hold(); break;
        case 'go': page.release(); break;
      }
    }
    // What is shown as the newest, on record, and is not.
    wrong(): string[] {
      const { told } = this.page;
      if (!this.isFollowed) return [];
      return told.kinds().flatMap((k) => told.list(k)).filter((v) => !v.mark.unrecorded && !told.mayBeReplaced(v) &&
        !this.always.told.list(v.kind).some((w) => w.mark.id === v.mark.id)).map((v) => v.text);
    }
    async end(): Promise<void> {
      this.page.drop();
      this.page.release();
      await settle(20);
      this.page.failing = undefined;
      this.record();
      this.page.resume();
      this.page.look();
      await settle(200);
    }
  }

  it('KnowsInTheEndWhatOneKnowsThatWasAlwaysThereAndNeverTakesAnOldValueForTheNewest', async () => {
    await fc.assert(fc.asyncProperty(steps, async (all) => {
      const play = new Play();
      const { page, always } = play;
      for (const step of all) {
        play.do(step);
        await settle(20);
        expect(play.wrong()).toEqual([]);
      }
      await play.end();
      expect([...page.lines].sort()).toEqual(always.told.kinds().flatMap((k) => always.told.list(k).map((v) => v.text)).sort());
      expect(page.happened).toEqual(always.told.events().map((e) => e.text));
      expect([page.sinceS, page.told.looking, page.doubted, page.model.toldFetch!.kept]).toEqual([0, 'no', [], 0]);
    }), { numRuns: 150 });
  });
});
