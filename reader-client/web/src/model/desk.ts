// Everything one page holds: its session, the directory, the cases that are open on it, and what a
// person does in them.

import { batch, computed, signal } from '@preact/signals';
import { toHex } from '../base/bytes.js';
import type { Clock } from '../base/clock.js';
import type { FrameLoop } from '../base/frame.js';
import type { Presence } from '../base/presence.js';
import type { Ticker } from '../base/ticker.js';
import { CaseRoom } from '../room/case_room.js';
import { Directory } from '../room/directory.js';
import { Inbox } from '../room/inbox.js';
import { Publisher } from '../room/publisher.js';
import type { Body } from '../room/publisher.js';
import type { Record as CaseRecord } from '../wire/generated/remora/v1/record_pb.js';
import type { RecordRefused } from '../wire/generated/remora/v1/room_pb.js';
import type { Identity } from '../wire/identity.js';
import type { LinkPhase } from '../wire/link_age.js';
import type { OutboxStore } from '../wire/outbox.js';
import { Session } from '../wire/session.js';
import type { SessionState, Socket } from '../wire/session.js';
import { fromHex } from '../base/bytes.js';
import { CaseModel } from './case_model.js';
import { CaseScreen } from './case_screen.js';

export interface DeskParts {
  identity: Identity;
  url: string;
  origin: Uint8Array;
  store: OutboxStore;
  clock: Clock;
  ticker: Ticker;
  frame: FrameLoop;
  open: (url: string) => Socket;
  random: () => number;
  presence: Presence;
  // The page must be signed in again.
  onSignedOut: () => void;
}

export interface OpenCase {
  hex: string;
  model: CaseModel;
  screen: CaseScreen;
  room: CaseRoom;
}

export interface Notice {
  key: number;
  text: string;
}

export class Desk {
  readonly identity: Identity;
  readonly session: Session;
  readonly directory: Directory;
  readonly inbox: Inbox;
  readonly frame: FrameLoop;
  readonly clock: Clock;
  readonly presence: Presence;
  private readonly random: () => number;
  // Changes four times a second: ages are read anew.
  readonly beat = signal(0);
  // The hub's time in steps of 5 s, in ms: the end of time axes.
  readonly slowNow = computed(() => (void this.beat.value, Math.ceil(this.hubNow() / 5000) * 5000));
  readonly link = signal<LinkPhase>('connecting');
  readonly state = signal<SessionState>('waiting');
  readonly displayName = signal('');
  readonly notices = signal<readonly Notice[]>([]);
  private readonly cases = new Map<string, OpenCase>();
  private publisher!: Publisher;
  private noticeKey = 0;

  private constructor(parts: DeskParts) {
    this.identity = parts.identity;
    this.frame = parts.frame;
    this.clock = parts.clock;
    this.random = parts.random;
    this.presence = parts.presence;
    this.displayName.value = parts.identity.displayName;
    this.session = new Session({
      clock: parts.clock, ticker: parts.ticker, random: parts.random, open: parts.open,
      url: parts.url, origin: parts.origin, software: 'remora-web 0.1.0',
    });
    this.directory = new Directory(this.session);
    this.inbox = new Inbox(this.session, () => this.frame.wake());
    this.frame.onTake(() => this.inbox.takeBulk());
    this.frame.onShown(() => this.inbox.reportShown());
    this.session.listen({
      onState: (state) => {
        this.state.value = state;
        if (state === 'waiting' && this.session.failures > 0) parts.onSignedOut();
      },
      onWelcome: (welcome) => {
        if (welcome.displayName) this.displayName.value = welcome.displayName;
      },
      onDown: (down) => {
        if (down.control.case !== 'historyPage') return;
        this.inbox.deliverPage(down.control.value);
        if (down.control.value.error) this.notify(`Not all of what was asked for could be read: ${down.control.value.error}`);
      },
    });
    parts.ticker.every(() => batch(() => {
      this.beat.value++;
      this.link.value = this.session.link.phase();
    }));
  }

  static async create(parts: DeskParts): Promise<Desk> {
    const desk = new Desk(parts);
    desk.publisher = await Publisher.create(desk.session, parts.store, parts.origin, parts.clock, {
      onKept: (record) => desk.kept(record),
      onRefused: (refused) => desk.refused(refused, parts.origin),
    });
    desk.session.start();
    return desk;
  }

  // The hub's time in ms since 1970; this machine's before anything is known of it.
  hubNow(): number {
    return this.session.hubClock.nowMs() ?? this.clock.wall();
  }

  clockBoundMs(): number | undefined {
    return this.session.hubClock.estimate()?.boundMs;
  }

  linkAgeMs(): number {
    return this.session.link.ageMs();
  }

  open(caseHex: string): OpenCase {
    let open = this.cases.get(caseHex);
    if (open) return open;
    const model = new CaseModel(() => this.publisher.waitingIn(caseHex).map((e) => e.bytes));
    const room = new CaseRoom(this.session, this.inbox, fromHex(caseHex), model, this.clock, this.random);
    open = { hex: caseHex, model, room, screen: new CaseScreen(caseHex) };
    this.cases.set(caseHex, open);
    room.open();
    this.publisher.join(caseHex);
    return open;
  }

  openCases(): OpenCase[] {
    return [...this.cases.values()];
  }

  close(caseHex: string): void {
    const open = this.cases.get(caseHex);
    if (!open || !this.cases.delete(caseHex)) return;
    open.screen.keep();
    open.room.close();
    this.publisher.leave(caseHex);
  }

  whyNotAllowed(caseHex: string): string | undefined {
    return this.publisher.notAllowed.get(caseHex);
  }

  waitingCount(): number {
    return this.publisher.waitingCount;
  }

  publish(caseHex: string, body: Body): Promise<CaseRecord | undefined> {
    return this.publisher.publish(caseHex, body).catch((error: unknown) => {
      this.notify(`This was not kept, and was not sent: ${String(error)}`);
      return undefined;
    });
  }

  notify(text: string): void {
    this.notices.value = [...this.notices.value.slice(-3), { key: ++this.noticeKey, text }];
  }

  dismiss(key: number): void {
    this.notices.value = this.notices.value.filter((n) => n.key !== key);
  }

  private kept(record: CaseRecord): void {
    this.cases.get(toHex(record.caseId))?.model.apply(record);
  }

  private refused(refused: RecordRefused, origin: Uint8Array): void {
    const id = `${toHex(origin)}/${refused.lane}/${refused.originSeq}`;
    this.cases.get(toHex(refused.caseId))?.model.withdraw(id);
    this.notify(`The hub refused what you sent: ${refused.text}`);
  }
}
