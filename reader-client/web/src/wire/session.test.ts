import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { FakeClock } from '../base/clock.js';
import { FakeTicker } from '../base/ticker.js';
import { DownSchema, RefusalReason, UpSchema } from './generated/remora/v1/room_pb.js';
import type { Up } from './generated/remora/v1/room_pb.js';
import { LOST_MS, STALE_MS, UNSUPERVISED_MS } from './link_age.js';
import { Session, SILENCE_MS } from './session.js';
import type { Socket } from './session.js';

class FakeSocket implements Socket {
  binaryType = '';
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;
  onerror: (() => void) | null = null;
  sent: Up[] = [];
  closed = false;
  send(data: Uint8Array): void {
    this.sent.push(fromBinary(UpSchema, data));
  }
  close(): void {
    this.closed = true;
  }
  down(message: MessageInitShape<typeof DownSchema>): void {
    this.onmessage?.({ data: toBinary(DownSchema, create(DownSchema, message)).slice().buffer });
  }
  controls(kind: string): Up[] {
    return this.sent.filter((u) => u.control.case === kind);
  }
}

function make(random = () => 1) {
  const clock = new FakeClock(1000);
  const ticker = new FakeTicker();
  const sockets: FakeSocket[] = [];
  const session = new Session({
    clock, ticker, random, url: 'ws://hub', origin: new Uint8Array(16).fill(7), software: 'test',
    open: () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket;
    },
  });
  const last = () => sockets[sockets.length - 1]!;
  const welcome = (bootId = 1n, hubUnixNs = 5_000_000_000n) => {
    last().onopen?.();
    last().down({ control: { case: 'welcome', value: { version: 1, hubBootId: bootId, hubUnixNs } } });
  };
  // The newest probe comes back after `wayMs`; the hub had it at `hubMs`, half-way.
  const reply = (socket: FakeSocket, hubMs: number, wayMs: number) => {
    const probe = socket.controls('clockProbe').at(-1)!.control;
    if (probe.case !== 'clockProbe') throw new Error('no probe');
    clock.advance(wayMs);
    const { probeId, sentMonotonicNs } = probe.value;
    const at = BigInt(hubMs) * 1_000_000n;
    socket.down({ control: { case: 'clockReply', value: { probeId, sentMonotonicNs, receivedUnixNs: at, repliedUnixNs: at } } });
  };
  const pass = (ms: number) => {
    for (let t = 0; t < ms; t += 250) {
      clock.advance(250);
      ticker.tick();
    }
  };
  return { clock, ticker, sockets, session, last, welcome, reply, pass };
}

describe('Session', () => {
  it('SaysHelloFirstAndOnce', () => {
    const { session, last, welcome } = make();
    session.start();
    welcome();
    expect(session.state).toBe('open');
    expect(last().sent[0]?.control).toMatchObject({ case: 'hello', value: { minimumVersion: 1, maximumVersion: 2 } });
    expect(last().controls('hello')).toHaveLength(1);
  });

  it('BecomesStaleThenLostThenUnsupervisedByItsOwnClock', () => {
    const { session, clock, welcome } = make();
    session.start();
    welcome();
    expect(session.link.phase()).toBe('live');
    clock.advance(STALE_MS);
    expect(session.link.phase()).toBe('stale');
    clock.advance(LOST_MS - STALE_MS);
    expect(session.link.phase()).toBe('lost');
    clock.advance(UNSUPERVISED_MS - LOST_MS);
    expect(session.link.phase()).toBe('unsupervised');
  });

  it('GivesUpASilentSocketAndConnectsAgain', () => {
    const { session, sockets, welcome, pass } = make();
    session.start();
    welcome();
    pass(SILENCE_MS + 500);
    expect(sockets[0]!.closed).toBe(true);
    pass(1000);
    expect(sockets).toHaveLength(2);
    welcome();
    expect(session.state).toBe('open');
    expect(session.failures).toBe(0);
  });

  it('WaitsLongerAfterEachFailureAndNoLongerThanTheLimit', () => {
    const { session, sockets, last, clock, ticker } = make();
    session.start();
    const waits: number[] = [];
    for (let i = 0; i < 9; i++) {
      last().onclose?.();
      const before = sockets.length;
      const start = clock.now();
      while (sockets.length === before) {
        clock.advance(50);
        ticker.tick();
      }
      waits.push(clock.now() - start);
    }
    expect(waits[0]!).toBeLessThanOrEqual(350);
    for (let i = 1; i < waits.length; i++) expect(waits[i]!).toBeGreaterThanOrEqual(waits[i - 1]!);
    expect(waits[8]!).toBeLessThanOrEqual(10_050);
  });

  it('ReportsWhatWasShownAtMostEach50Ms', () => {
    const { session, clock, last, welcome } = make();
    session.start();
    welcome();
    session.shown(100);
    session.flushShown();
    session.shown(50);
    session.flushShown();
    expect(last().controls('shown')).toHaveLength(1);
    clock.advance(50);
    session.flushShown();
    session.flushShown();
    const totals = last().controls('shown').map((u) => u.control.case === 'shown' && u.control.value.bulkBytesTotal);
    expect(totals).toEqual([100n, 150n]);
  });

  it('AnswersAHeartbeatWithWhatIsShownAndTellsTheNextAtOnce', () => {
    const { session, last, welcome } = make();
    session.start();
    welcome();
    session.shown(100);
    last().down({ control: { case: 'heartbeat', value: { hubUnixNs: 6_000_000_000n } } });
    session.shown(50);
    session.flushShown();
    session.shown(10);
    session.flushShown();
    const totals = last().controls('shown').map((u) => u.control.case === 'shown' && u.control.value.bulkBytesTotal);
    expect(totals).toEqual([100n, 150n]);
  });

  it('GivesTheHubsQuestionBackInEachReport', () => {
    const { session, last, welcome } = make();
    session.start();
    welcome();
    last().down({ control: { case: 'heartbeat', value: { hubUnixNs: 6_000_000_000n, questionId: 3 } } });
    last().down({ control: { case: 'heartbeat', value: { hubUnixNs: 7_000_000_000n } } });
    session.shown(10);
    session.flushShown();
    const answers = last().controls('shown').map((u) => u.control.case === 'shown' && u.control.value.answeredQuestionId);
    expect(answers).toEqual([3, 3, 3]);
  });

  it('CountsShownBytesAnewInEachSession', () => {
    const { session, last, welcome, pass } = make();
    session.start();
    welcome();
    session.shown(1000);
    session.flushShown();
    last().onclose?.();
    pass(1500);
    welcome();
    session.shown(10);
    session.flushShown();
    expect(last().controls('shown')[0]?.control).toMatchObject({ value: { bulkBytesTotal: 10n, answeredQuestionId: 0 } });
  });

  it('NoticesThatTheMachineSlept', () => {
    const { session, clock, ticker, sockets, welcome } = make();
    session.start();
    welcome();
    ticker.tick();
    clock.sleep(40_000);
    ticker.tick();
    expect(session.link.phase()).toBe('lost');
    expect(sockets[0]!.closed).toBe(true);
    expect(session.state).toBe('connecting');
    expect(sockets).toHaveLength(2);
  });

  it('TakesNothingFromASocketThatLivedThroughASleep', () => {
    const { session, clock, ticker, sockets, welcome } = make();
    session.start();
    welcome();
    ticker.tick();
    clock.sleep(40_000);
    // What had come before the sleep is read before the ticker beats.
    sockets[0]!.down({ control: { case: 'heartbeat', value: { hubUnixNs: 6_000_000_000n } } });
    expect(session.link.phase()).toBe('lost');
    expect(session.hubClock.estimate()).toBeUndefined();
  });

  it('KeepsNoProbeThroughASleepAlsoWhereTheHubIsTheSame', () => {
    const { session, clock, ticker, last, welcome, reply } = make();
    session.start();
    welcome();
    reply(last(), 9_000, 4);
    expect(session.hubClock.estimate()!.boundMs).toBeCloseTo(2, 3);
    clock.sleep(40_000);
    // The page is told that it is online before the ticker beats.
    last().onclose?.();
    session.hurry();
    welcome(1n, 49_010_000_000n);
    expect(session.hubClock.nowMs()).toBeCloseTo(49_010, 3);
    ticker.tick();
    expect(session.state).toBe('open');
    reply(last(), 49_020, 20);
    expect(session.hubClock.nowMs()).toBeCloseTo(49_030, 3);
  });

  it('AsksTheHubsTimeAnewWhenTheWallClockIsSetBack', () => {
    const { session, clock, ticker, last, welcome, reply } = make();
    session.start();
    welcome();
    reply(last(), 9_000, 4);
    const probes = last().controls('clockProbe').length;
    clock.sleep(-3_600_000);
    ticker.tick();
    expect(session.state).toBe('open');
    expect(session.hubClock.estimate()).toBeUndefined();
    expect(last().controls('clockProbe')).toHaveLength(probes + 1);
  });

  it('ConnectsAgainWhenTheHubDrainsAndStopsWhenItIsNotPermitted', () => {
    const { session, sockets, last, welcome, pass } = make();
    session.start();
    welcome();
    last().down({ control: { case: 'refused', value: { reason: RefusalReason.DRAINING, text: 'going down' } } });
    expect(session.state).toBe('waiting');
    pass(1000);
    welcome();
    last().down({ control: { case: 'refused', value: { reason: RefusalReason.NOT_PERMITTED, text: 'no' } } });
    expect(session.state).toBe('refused');
    pass(30_000);
    expect(sockets).toHaveLength(2);
  });

  it('GoesOnWhenOneRequestIsRefused', () => {
    const { session, last, welcome } = make();
    session.start();
    welcome();
    last().down({ control: { case: 'refused', value: { reason: RefusalReason.NOT_PERMITTED, text: 'no', requestId: 3 } } });
    expect(session.state).toBe('open');
  });

  it('HostileBytesEndTheConnectionAndNothingElse', () => {
    const { session, last, welcome } = make();
    session.start();
    welcome();
    last().onmessage?.({ data: Uint8Array.from([0xff, 0xff, 0xff]).buffer });
    expect(session.state).toBe('waiting');
    last().onmessage?.({ data: 'text' });
  });

  it('LearnsTheHubsTimeFromTheShortestWay', () => {
    const { session, last, welcome, reply } = make();
    session.start();
    welcome();
    // Sent at 1000, answered at 1020; the hub had it at 9,010 ms and replied at once.
    reply(last(), 9_010, 20);
    expect(session.hubClock.estimate()?.offsetMs).toBeCloseTo(8000, 3);
    expect(session.hubClock.estimate()?.boundMs).toBeCloseTo(10, 3);
    expect(session.hubClock.nowMs()).toBeCloseTo(9020, 3);
  });
});
