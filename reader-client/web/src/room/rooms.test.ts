import { create, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { FakeClock } from '../base/clock.js';
import { CaseStage } from '../wire/generated/remora/v1/case_pb.js';
import { RecordSchema } from '../wire/generated/remora/v1/record_pb.js';
import type { Record as CaseRecord } from '../wire/generated/remora/v1/record_pb.js';
import { DownSchema } from '../wire/generated/remora/v1/room_pb.js';
import type { Session, SessionListener } from '../wire/session.js';
import { CaseRoom } from './case_room.js';
import { Directory } from './directory.js';
import { Inbox } from './inbox.js';

const CASE = new Uint8Array(16).fill(1);

class FakeSession {
  state = 'open';
  sent: { control?: { case: string; value: Record<string, unknown> } }[] = [];
  shownBytes = 0;
  flushes = 0;
  private readonly listeners = new Set<SessionListener>();
  listen(l: SessionListener): () => void {
    this.listeners.add(l);
    return () => this.listeners.delete(l);
  }
  send(up: object): boolean {
    this.sent.push(up);
    return true;
  }
  shown(bytes: number): void {
    this.shownBytes += bytes;
  }
  flushShown(): void {
    this.flushes++;
  }
  down(message: Parameters<typeof create<typeof DownSchema>>[1]): void {
    const down = create(DownSchema, message);
    this.listeners.forEach((l) => l.onDown?.(down));
  }
  welcome(): void {
    this.listeners.forEach((l) => l.onWelcome?.(undefined as never));
  }
  lastFollow() {
    return this.sent.filter((u) => u.control?.case === 'follow').at(-1)!.control!.value as {
      followId: number; cursor?: { epoch: number; lanes: { lane: number; seq: bigint }[] } };
  }
}

function record(lane: number, seq: bigint, more: { unrecorded?: boolean; caseId?: Uint8Array; epoch?: number } = {}): Uint8Array {
  return toBinary(RecordSchema, create(RecordSchema, {
    caseId: more.caseId ?? CASE, origin: new Uint8Array(16).fill(2), lane, originSeq: seq || 99n,
    stamp: { epoch: more.epoch ?? 5, seq: more.unrecorded ? 0n : seq, recordedUnixNs: 1n, unrecorded: more.unrecorded ?? false },
    body: lane === 5 ? { case: 'sampleBlock', value: { traceId: 'x' } } : { case: 'message', value: { text: 'x' } },
  }));
}

function make() {
  const wire = new FakeSession();
  const inbox = new Inbox(wire as unknown as Session, () => {});
  const clock = new FakeClock();
  const got: CaseRecord[] = [];
  const ended: string[] = [];
  const recordings: [number, number, string][] = [];
  const room = new CaseRoom(wire as unknown as Session, inbox, CASE, {
    onSnapshot: () => {}, onRecord: (r) => got.push(r), onGap: () => {}, onRecording: (c, since, cause) => recordings.push([c, since, cause]), onEnded: (c) => ended.push(c),
  }, clock, () => 1);
  room.open();
  const snapshot = () => wire.down({ control: { case: 'snapshot', value: {
    followId: wire.lastFollow().followId, caseId: CASE, cursor: { epoch: 5, lanes: [{ lane: 0, seq: 10n }, { lane: 5, seq: 12n }] } } } });
  const end = (cause: string) => wire.down({ control: { case: 'followEnded', value: { followId: wire.lastFollow().followId, cause } } });
  const follows = () => wire.sent.filter((u) => u.control?.case === 'follow').length;
  const wait = (ms: number) => {
    clock.advance(ms);
    wire.down({ control: { case: 'heartbeat', value: {} } });
  };
  return { wire, inbox, got, ended, recordings, room, snapshot, end, follows, wait };
}

describe('CaseRoom', () => {
  it('AsksForASnapshotFirstAndGoesOnFromItsCursorAfterwards', () => {
    const { wire, snapshot, inbox } = make();
    expect(wire.lastFollow().cursor).toBeUndefined();
    snapshot();
    wire.down({ records: [record(0, 13n), record(5, 14n)] });
    inbox.takeBulk();
    wire.welcome();
    const cursor = wire.lastFollow().cursor!;
    expect(cursor.epoch).toBe(5);
    expect(cursor.lanes.map((l) => l.seq)).toEqual([13n, 0n, 0n, 0n, 0n, 14n]);
  });

  it('LighterAsksAnewForFewerLanesWithinABudgetAndBackForEverything', () => {
    const { wire, snapshot, inbox, room, got } = make();
    snapshot();
    const first = wire.lastFollow();
    room.setLighter(true);
    const lighter = wire.lastFollow() as ReturnType<typeof wire.lastFollow> & { lanes?: number[]; bulkBudgetBytesPerSecond?: number };
    expect(wire.sent.filter((u) => u.control?.case === 'cancelFollow').map((u) => u.control!.value.followId)).toEqual([first.followId]);
    expect(lighter.followId).not.toBe(first.followId);
    expect(lighter.cursor).toBeUndefined();
    expect(lighter.lanes).toEqual([0, 1, 2, 3]);
    expect(lighter.bulkBudgetBytesPerSecond).toBeGreaterThan(0);
    snapshot();
    wire.down({ records: [record(0, 13n)] });
    inbox.takeBulk();
    expect(got).toHaveLength(1);
    // It is kept over a reconnection, and over a second press.
    wire.welcome();
    room.setLighter(true);
    expect(wire.lastFollow()).toMatchObject({ followId: lighter.followId, lanes: [0, 1, 2, 3] });
    room.setLighter(false);
    expect(wire.lastFollow()).not.toHaveProperty('lanes');
    expect(wire.lastFollow().cursor).toBeUndefined();
  });

  it('HandsNothingOnTwice', () => {
    const { wire, snapshot, got } = make();
    snapshot();
    wire.down({ records: [record(0, 9n), record(0, 11n), record(0, 11n)] });
    expect(got.map((r) => r.stamp!.seq)).toEqual([11n]);
  });

  it('ShowsWhatIsUnrecordedAndDoesNotMoveItsCursor', () => {
    const { wire, snapshot, got, room } = make();
    snapshot();
    wire.down({ records: [record(0, 0n, { unrecorded: true })] });
    expect(got).toHaveLength(1);
    expect(room.cursor()!.lanes[0]!.seq).toBe(10n);
  });

  it('TellsWhenTheFollowEnds', () => {
    const { wire, ended } = make();
    wire.down({ control: { case: 'followEnded', value: { followId: wire.lastFollow().followId, cause: 'the case is sealed' } } });
    wire.down({ control: { case: 'followEnded', value: { followId: 4_000_000, cause: 'another' } } });
    expect(ended).toEqual(['the case is sealed']);
  });
});

describe('CaseRoom whose follow ended', () => {
  it('AsksAgainFromASnapshotEachTimeAfterALongerWait', () => {
    const { wire, snapshot, end, follows, wait } = make();
    snapshot();
    end('the case is busy');
    wait(900);
    expect(follows()).toBe(1);
    wait(200);
    expect(follows()).toBe(2);
    expect(wire.lastFollow().cursor).toBeUndefined();
    wire.down({ control: { case: 'refused', value: { followId: wire.lastFollow().followId, caseId: CASE, text: 'not now' } } });
    wait(1_100);
    expect(follows()).toBe(2);
    wait(1_000);
    expect(follows()).toBe(3);
    for (let i = 0; i < 9; i++) {
      end('still');
      wait(30_000);
    }
    expect(follows()).toBe(12);
  });

  it('StartsWithTheShortestWaitAfterASnapshotAndAsksOnceAtAWelcome', () => {
    const { wire, snapshot, end, follows, wait } = make();
    for (let i = 0; i < 3; i++) {
      snapshot();
      end('again');
      wait(1_000);
      expect(follows()).toBe(2 + i);
    }
    end('again');
    wire.welcome();
    expect(follows()).toBe(5);
    wait(60_000);
    expect(follows()).toBe(5);
  });

  it('IsNotEndedByTheRefusalOfAJoin', () => {
    const { wire, ended, follows, wait } = make();
    wire.down({ control: { case: 'refused', value: { caseId: CASE, text: 'you may only read' } } });
    wait(60_000);
    expect([ended.length, follows()]).toEqual([0, 1]);
  });

  it('IsWhatARecordOfAnotherEpochLeadsTo', () => {
    const { wire, got, snapshot, follows, wait } = make();
    snapshot();
    wire.down({ records: [record(0, 4n, { epoch: 6 }), record(0, 5n, { epoch: 6 })] });
    expect(got).toHaveLength(0);
    wait(1_000);
    expect(follows()).toBe(2);
    expect(wire.lastFollow().cursor).toBeUndefined();
  });
});

describe('Inbox', () => {
  it('DeliversAlertsAtOnceAndBulkWithTheFrameAndCountsItAfterwards', () => {
    const { wire, inbox, got, snapshot } = make();
    snapshot();
    const block = record(5, 20n);
    wire.down({ records: [block, record(0, 21n)] });
    expect(got.map((r) => r.lane)).toEqual([0]);
    expect(wire.shownBytes).toBe(0);
    inbox.takeBulk();
    expect(got.map((r) => r.lane)).toEqual([0, 5]);
    inbox.reportShown();
    inbox.reportShown();
    expect(wire.shownBytes).toBe(block.length);
  });

  it('CountsBulkOfACaseThatIsNotOpenAnyMoreButNotOfAnOlderSession', () => {
    const { wire, inbox } = make();
    const other = record(5, 1n, { caseId: new Uint8Array(16).fill(8) });
    wire.down({ records: [other] });
    inbox.takeBulk();
    inbox.reportShown();
    expect(wire.shownBytes).toBe(other.length);
    wire.down({ records: [other] });
    wire.welcome();
    inbox.reportShown();
    expect(wire.shownBytes).toBe(other.length);
  });

  it('HostileRecordsAreCountedAndHarmNothing', () => {
    const { wire, inbox, got, snapshot } = make();
    snapshot();
    wire.down({ records: [Uint8Array.from([0xff, 0xff]), new Uint8Array(0), record(0, 30n)] });
    inbox.takeBulk();
    expect(inbox.unreadable).toBe(1);
    expect(got).toHaveLength(1);
  });
});

describe('Directory', () => {
  it('TakesAWholeListThatComesInPages', () => {
    const wire = new FakeSession();
    const directory = new Directory(wire as unknown as Session);
    directory.onWelcome();
    const { followId } = wire.lastFollow();
    const page = (complete: boolean, n: number, more = false) => wire.down({ control: { case: 'directory', value: {
      followId, complete, more, cases: [{ caseId: new Uint8Array(16).fill(n), stage: CaseStage.OPEN }] } } });
    page(true, 1, true);
    expect(directory.known.value).toBe(false);
    page(false, 2, true);
    page(false, 3);
    expect(directory.known.value).toBe(true);
    expect(directory.cases.value.size).toBe(3);
    // While a new list comes, nothing disappears.
    page(true, 2, true);
    expect(directory.cases.value.size).toBe(3);
    page(false, 4);
    expect(directory.cases.value.size).toBe(2);
    page(true, 2);
    expect(directory.cases.value.size).toBe(1);
  });

  it('KeepsWhatAChangeDoesNotNameAndDropsWhatAWholeListLacks', () => {
    const wire = new FakeSession();
    const directory = new Directory(wire as unknown as Session);
    directory.onWelcome();
    const followId = wire.lastFollow().followId;
    const summary = (n: number, theatre: string) => ({ caseId: new Uint8Array(16).fill(n), theatre, stage: CaseStage.OPEN });
    wire.down({ control: { case: 'directory', value: { followId, complete: true, cases: [summary(1, 'OR 1'), summary(2, 'OR 2')] } } });
    wire.down({ control: { case: 'directory', value: { followId, cases: [summary(2, 'OR 9')] } } });
    expect([...directory.cases.value.values()].map((c) => c.theatre)).toEqual(['OR 1', 'OR 9']);
    wire.down({ control: { case: 'directory', value: { followId, complete: true, cases: [summary(2, 'OR 9')] } } });
    expect(directory.cases.value.size).toBe(1);
    wire.down({ control: { case: 'directory', value: { followId: followId + 1, complete: true, cases: [] } } });
    expect(directory.cases.value.size).toBe(1);
  });
});
