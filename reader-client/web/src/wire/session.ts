// The one conversation of this page with the hub: connects, says hello, keeps the link's age and
// the hub's time, reports what was shown, and connects again with jittered back-off. It knows
// nothing of cases: rooms and the publisher listen to it and ask again after each welcome.
//
//   waiting --open--> connecting --welcome--> open --silence, close--> waiting
//                         `--refused without a follow or case--> refused (until start() again)

import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Clock } from '../base/clock.js';
import type { Stop, Ticker } from '../base/ticker.js';
import { msToNs, nsToMs } from '../base/format.js';
import { DownSchema, RefusalReason, UpSchema } from './generated/remora/v1/room_pb.js';
import type { Down, Refused, Welcome } from './generated/remora/v1/room_pb.js';
import { HubClock, PROBE_INTERVAL_MS } from './hub_clock.js';
import { LinkAge } from './link_age.js';

// A socket that is silent for so long is given up, though it may claim to be open: the hub sends a
// heartbeat each second.
export const SILENCE_MS = 6_000;
// Over so long it is measured what a link carries.
const RATE_MS = 5_000;
const OPEN_TIMEOUT_MS = 8_000;
const FIRST_WAIT_MS = 300;
const LONGEST_WAIT_MS = 10_000;
// As the contract says of `Shown`.
const SHOWN_INTERVAL_MS = 50;
// The wall clock has gone on by so much more than the monotonic one: the machine slept, or the wall
// clock was set.
const SLEPT_MS = 2_000;

const PASSING: ReadonlySet<RefusalReason> = new Set([RefusalReason.DRAINING, RefusalReason.TOO_MANY]);

// Else it is about one request, follow or join.
const refusesTheSession = (r: Refused): boolean => r.requestId === 0 && r.followId === 0 && r.caseId.length === 0;

export type SessionState = 'waiting' | 'connecting' | 'open' | 'refused' | 'stopped';

// What a browser's WebSocket has, as far as it is used here.
export interface Socket {
  binaryType: string;
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: (() => void) | null;
  onerror: (() => void) | null;
  send(data: Uint8Array): void;
  close(): void;
}

export interface SessionListener {
  onWelcome?(welcome: Welcome): void;
  onDown?(down: Down): void;
  onState?(state: SessionState): void;
}

export interface SessionParts {
  clock: Clock;
  ticker: Ticker;
  random: () => number;
  open: (url: string) => Socket;
  url: string;
  origin: Uint8Array;
  software: string;
}

export class Session {
  readonly link: LinkAge;
  readonly hubClock: HubClock;
  state: SessionState = 'waiting';
  welcome: Welcome | undefined;
  refused: Refused | undefined;
  // Connections that failed in a row.
  failures = 0;

  private readonly listeners = new Set<SessionListener>();
  private socket: Socket | undefined;
  private stopTicker: Stop | undefined;
  private retryAtMs = 0;
  private openedAtMs = 0;
  private lastProbeMs = -Infinity;
  private probeId = 0;
  private shownBytes = 0;
  // The hub's last question.
  private answeredQuestionId = 0;
  private shownSent = 0;
  private shownAtMs = -Infinity;
  private shownAsked = false;
  private wallMinusMono: number;
  private received = { bytes: 0, sinceMs: 0, bitsPerSecond: NaN };

  constructor(private readonly parts: SessionParts) {
    this.link = new LinkAge(parts.clock);
    this.hubClock = new HubClock(parts.clock);
    this.wallMinusMono = parts.clock.wall() - parts.clock.now();
  }

  listen(listener: SessionListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  start(): void {
    this.stopTicker ??= this.parts.ticker.every(() => this.tick());
    this.refused = undefined;
    this.connect();
  }

  stop(): void {
    this.stopTicker?.();
    this.stopTicker = undefined;
    this.drop();
    this.setState('stopped');
  }

  // Tries at once, for example when the machine says that it is online again.
  hurry(): void {
    if (this.state === 'waiting') this.connect();
  }

  // False when there is no session: whoever asks again after the next welcome.
  send(up: MessageInitShape<typeof UpSchema>): boolean {
    if (this.state !== 'open' || !this.socket) return false;
    this.socket.send(toBinary(UpSchema, create(UpSchema, up)));
    return true;
  }

  // So many bulk bytes are on the screen now. Sent with the next flush.
  shown(bytes: number): void {
    this.shownBytes += bytes;
  }

  // Called after each frame, and by the ticker when the page is hidden.
  flushShown(): void {
    const now = this.parts.clock.now();
    if (this.shownBytes === this.shownSent) return;
    if (!this.shownAsked && now - this.shownAtMs < SHOWN_INTERVAL_MS) return;
    this.shownAsked = false;
    this.reportShown(now);
  }

  // The answer to a heartbeat; what is on the screen after it follows with the next flush.
  private answerHeartbeat(question: number): void {
    this.shownAsked = true;
    if (question !== 0) this.answeredQuestionId = question;
    this.reportShown(this.parts.clock.now());
  }

  private reportShown(now: number): void {
    const bulkBytesTotal = BigInt(this.shownBytes);
    const { answeredQuestionId } = this;
    if (this.send({ control: { case: 'shown', value: { bulkBytesTotal, answeredQuestionId } } })) {
      this.shownSent = this.shownBytes;
      this.shownAtMs = now;
    }
  }

  private connect(): void {
    this.noticeSleep();
    this.drop();
    this.setState('connecting');
    this.openedAtMs = this.parts.clock.now();
    let socket: Socket;
    try {
      socket = this.parts.open(this.parts.url);
    } catch {
      this.lost();
      return;
    }
    this.socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => {
      const { origin, software } = this.parts;
      socket.send(toBinary(UpSchema, create(UpSchema, {
        control: {
          case: 'hello',
          value: { minimumVersion: 1, maximumVersion: 2, features: [], origin, software },
        },
      })));
    };
    socket.onmessage = (event) => {
      this.noticeSleep();
      if (socket !== this.socket) return;
      if (event.data instanceof ArrayBuffer) this.receive(new Uint8Array(event.data));
      else if (event.data instanceof Uint8Array) this.receive(event.data);
    };
    socket.onclose = () => {
      if (socket === this.socket) this.lost();
    };
    socket.onerror = () => {};
  }

  // What has come lately, over RATE_MS; NaN before that.
  receivedBitsPerSecond(): number {
    return this.received.bitsPerSecond;
  }

  private measure(now: number): void {
    const passed = now - this.received.sinceMs;
    if (passed < RATE_MS) return;
    this.received = { bytes: 0, sinceMs: now, bitsPerSecond: (8000 * this.received.bytes) / passed };
  }

  private receive(bytes: Uint8Array): void {
    this.received.bytes += bytes.length;
    let down: Down;
    try {
      down = fromBinary(DownSchema, bytes);
    } catch {
      // Not this protocol: a hub that sends it is no hub to trust.
      this.lost();
      return;
    }
    this.link.heard();
    switch (down.control.case) {
      case 'welcome':
        this.welcomed(down.control.value);
        return;
      case 'refused':
        if (refusesTheSession(down.control.value)) {
          // A hub that goes down or has too many guests is asked again; any other reason stays.
          if (PASSING.has(down.control.value.reason)) {
            this.lost();
            return;
          }
          this.refused = down.control.value;
          this.drop();
          this.setState('refused');
          return;
        }
        break;
      case 'clockReply': {
        const r = down.control.value;
        this.hubClock.add(nsToMs(r.sentMonotonicNs), this.parts.clock.now(),
          nsToMs(r.receivedUnixNs), nsToMs(r.repliedUnixNs));
        break;
      }
      case 'heartbeat':
        this.hubClock.hint(nsToMs(down.control.value.hubUnixNs));
        this.answerHeartbeat(down.control.value.questionId);
        break;
    }
    for (const l of this.listeners) l.onDown?.(down);
  }

  private welcomed(welcome: Welcome): void {
    if (this.welcome && this.welcome.hubBootId !== welcome.hubBootId) this.hubClock.reset();
    this.welcome = welcome;
    this.failures = 0;
    this.shownBytes = this.shownSent = 0;
    this.answeredQuestionId = 0;
    this.hubClock.hint(nsToMs(welcome.hubUnixNs));
    this.setState('open');
    this.probe();
    for (const l of this.listeners) l.onWelcome?.(welcome);
  }

  private tick(): void {
    const now = this.parts.clock.now();
    this.noticeSleep();
    this.measure(now);
    if (this.state === 'open') {
      if (this.link.ageMs() > SILENCE_MS) {
        this.lost();
      } else {
        if (now - this.lastProbeMs >= PROBE_INTERVAL_MS) this.probe();
        this.flushShown();
      }
    } else if (this.state === 'connecting' && now - this.openedAtMs > OPEN_TIMEOUT_MS) {
      this.lost();
    } else if (this.state === 'waiting' && now >= this.retryAtMs) {
      this.connect();
    }
  }

  // A monotonic clock may stand still while the machine sleeps; then the wall clock tells. Looked at
  // before anything else is done with the link, or a socket of before the sleep would seem alive.
  private noticeSleep(): void {
    const difference = this.parts.clock.wall() - this.parts.clock.now();
    const jump = difference - this.wallMinusMono;
    this.wallMinusMono = difference;
    if (Math.abs(jump) < SLEPT_MS) return;
    this.hubClock.reset();
    if (jump < 0) {
      // Set back: the link's age is right, and the hub is asked for its time at once.
      if (this.state === 'open') this.probe();
      return;
    }
    this.link.slept(jump);
    if (this.state === 'open') this.lost();
    this.retryAtMs = 0;
  }

  private probe(): void {
    this.lastProbeMs = this.parts.clock.now();
    const sentMonotonicNs = msToNs(this.lastProbeMs);
    this.send({
      control: { case: 'clockProbe', value: { probeId: ++this.probeId, sentMonotonicNs } },
    });
  }

  private lost(): void {
    this.drop();
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(this.failures, 10));
    this.failures++;
    this.retryAtMs = this.parts.clock.now() + wait * (0.5 + 0.5 * this.parts.random());
    this.setState('waiting');
  }

  private drop(): void {
    const socket = this.socket;
    this.socket = undefined;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    try {
      socket.close();
    } catch {
      // It was closed already.
    }
  }

  private setState(state: SessionState): void {
    if (this.state === state) return;
    this.state = state;
    for (const l of this.listeners) l.onState?.(state);
  }
}
