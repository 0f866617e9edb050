// Everything one page holds: its session, the directory, the cases that are open on it, and what a
// person does in them.

import { batch, computed, signal } from '@preact/signals';
import { toHex } from '../base/bytes.js';
import { msToNs } from '../base/format.js';
import { TICK_MS } from '../base/ticker.js';
import type { Clock } from '../base/clock.js';
import type { FrameLoop } from '../base/frame.js';
import type { Presence } from '../base/presence.js';
import type { Ticker } from '../base/ticker.js';
import { CaseRoom } from '../room/case_room.js';
import { Directory } from '../room/directory.js';
import { History } from '../room/history.js';
import { Inbox } from '../room/inbox.js';
import { Publisher } from '../room/publisher.js';
import type { Body } from '../room/publisher.js';
import type { Record as CaseRecord } from '../wire/generated/remora/v1/record_pb.js';
import { CaseStage } from '../wire/generated/remora/v1/case_pb.js';
import { RefusalReason } from '../wire/generated/remora/v1/room_pb.js';
import type { RecordRefused } from '../wire/generated/remora/v1/room_pb.js';
import { SeenMode } from '../wire/generated/remora/v1/link_pb.js';
import type { Identity } from '../wire/identity.js';
import { idOf } from '../wire/record_id.js';
import type { Id } from '../wire/record_id.js';
import type { LinkPhase } from '../wire/link_age.js';
import type { OutboxStore, Waiting } from '../wire/outbox.js';
import { lastOfEach } from '../wire/set_aside.js';
import type { Unsent } from '../wire/set_aside.js';
import { Session } from '../wire/session.js';
import type { SessionState, Socket } from '../wire/session.js';
import { fromHex } from '../base/bytes.js';
import { AT_MOST_EACH_MS, MOST_WAITING_SEEN, SeenLog, seenMode, seenOf } from './as_seen.js';
import type { ViewSeenInit } from './as_seen.js';
import { CaseModel } from './case_model.js';
import { CaseScreen } from './case_screen.js';

const CLOCK_EACH_MS = 300_000;

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
  // Nobody can see this page now.
  hidden: () => boolean;
  // Names this screen among the person's.
  screenId: bigint;
  // The page must be signed in again.
  onSignedOut: () => void;
}

export interface OpenCase {
  hex: string;
  model: CaseModel;
  screen: CaseScreen;
  room: CaseRoom;
}

export interface NoticeFile {
  name: string;
  bytes: Uint8Array;
}

export interface Notice {
  key: number;
  text: string;
  file?: NoticeFile | undefined;
}

export class Desk {
  readonly identity: Identity;
  readonly session: Session;
  readonly directory: Directory;
  readonly inbox: Inbox;
  readonly history: History;
  readonly frame: FrameLoop;
  readonly clock: Clock;
  readonly presence: Presence;
  private readonly random: () => number;
  private readonly store: OutboxStore;
  // Changes four times a second: ages are read anew.
  readonly beat = signal(0);
  // The hub's time in steps of 5 s, in ms: the end of time axes.
  readonly slowNow = computed(() => (void this.beat.value, Math.ceil(this.hubNow() / 5000) * 5000));
  readonly link = signal<LinkPhase>('connecting');
  readonly state = signal<SessionState>('waiting');
  readonly displayName = signal('');
  // Steps of cases that were asked for, were never sent, and are not sent by themselves.
  readonly unsent = signal<readonly { last: Unsent; all: Waiting[] }[]>([]);
  readonly notices = signal<readonly Notice[]>([]);
  private readonly cases = new Map<string, OpenCase>();
  private readonly seen: SeenLog;
  private readonly clocksTold = new Map<string, { atMs: number; boundMs: number }>();
  private publisher!: Publisher;
  private readonly steps = new Set<Id>();
  private noticeKey = 0;

  private constructor(parts: DeskParts) {
    this.identity = parts.identity;
    this.frame = parts.frame;
    this.clock = parts.clock;
    this.random = parts.random;
    this.store = parts.store;
    this.presence = parts.presence;
    this.displayName.value = parts.identity.displayName;
    this.session = new Session({
      clock: parts.clock, ticker: parts.ticker, random: parts.random, open: parts.open,
      url: parts.url, origin: parts.origin, software: 'remora-web 0.1.0',
    });
    this.directory = new Directory(this.session);
    this.inbox = new Inbox(this.session, () => this.frame.wake());
    this.history = new History(this.session);
    this.seen = new SeenLog(parts.clock, (caseHex, view) => this.writeSeen(caseHex, view, parts.screenId),
      (caseHex) => this.publisher?.countWaiting(caseHex, 'viewSeen') ?? 0);
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
    });
    parts.ticker.every(() => {
      batch(() => {
        this.beat.value++;
        this.link.value = this.session.link.phase(TICK_MS);
      });
      this.tellSeen(parts.hidden());
      this.tellClock();
      for (const { model } of this.cases.values()) model.toldFetch?.tick();
    });
  }

  static async create(parts: DeskParts): Promise<Desk> {
    const desk = new Desk(parts);
    desk.publisher = await Publisher.create(desk.session, parts.store, parts.origin, parts.clock, {
      onKept: (record) => desk.kept(record),
      onRefused: (refused) => desk.refused(refused, parts.origin),
      onSetAside: (caseHex) => {
        desk.cases.get(caseHex)?.screen.cameToStage(undefined);
        void desk.readUnsent();
      },
    });
    await desk.readUnsent();
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

  // Of so many bits a second, what came lately.
  linkBitsPerSecond(): number {
    return this.session.receivedBitsPerSecond();
  }

  linkAgeMs(): number {
    return this.session.link.ageMs();
  }

  open(caseHex: string): OpenCase {
    let open = this.cases.get(caseHex);
    if (open) return open;
    const model = new CaseModel(
      () => this.publisher.waitingIn(caseHex).map((e) => e.bytes),
      { ask: (lanes, fromSeq, toSeq) => this.history.ask(fromHex(caseHex), lanes, fromSeq, toSeq),
        nowMs: () => this.clock.now(), random: this.random });
    const room = new CaseRoom(this.session, this.inbox, fromHex(caseHex), model, this.clock, this.random);
    open = { hex: caseHex, model, room, screen: new CaseScreen(caseHex) };
    this.cases.set(caseHex, open);
    room.open();
    this.publisher.join(caseHex);
    return open;
  }

  // Less of a case for this screen, or everything again.
  lighten(open: OpenCase, lighter: boolean): void {
    open.model.leftOut.lighter.value = lighter;
    open.room.setLighter(lighter);
  }

  openCases(): OpenCase[] {
    return [...this.cases.values()];
  }

  // `onWall`: its tile is what is seen of it from now on.
  close(caseHex: string, onWall = false): void {
    const open = this.cases.get(caseHex);
    if (!open || !this.cases.delete(caseHex)) return;
    this.seen.leave(caseHex, {
      ...seenOf(open, onWall ? SeenMode.WALL : SeenMode.HIDDEN, this.link.value, this.linkAgeMs(), this.hubNow()).view, traces: [],
    });
    this.clocksTold.delete(caseHex);
    open.screen.keep();
    open.model.toldFetch?.close();
    open.room.close();
    this.publisher.leave(caseHex);
  }

  private tellSeen(hidden: boolean): void {
    for (const open of this.cases.values()) {
      if (!open.model.ready.value) continue;
      this.seen.look(open.hex, seenOf(open, seenMode(open, hidden), this.link.value, this.linkAgeMs(), this.hubNow()));
    }
  }

  // While the hub does not take records, what was seen is kept, sparser as more of it waits.
  private writeSeen(caseHex: string, view: ViewSeenInit, screenId: bigint): boolean {
    if (!this.publisher || this.whyNotAllowed(caseHex) || this.publisher.countWaiting(caseHex, 'viewSeen') >= MOST_WAITING_SEEN) return false;
    void this.publisher.publish(caseHex, { case: 'viewSeen', value: { ...view, actor: this.displayName.value, screenId } })
      .catch(() => {});
    return true;
  }

  // What this page knows of its clock, so that its times can be judged years later.
  private tellClock(): void {
    const estimate = this.session.hubClock.estimate();
    if (!estimate || !Number.isFinite(estimate.boundMs) || this.state.value !== 'open') return;
    const now = this.clock.now();
    for (const open of this.cases.values()) {
      const told = this.clocksTold.get(open.hex);
      const due = !told || now - told.atMs >= CLOCK_EACH_MS || (now - told.atMs >= AT_MOST_EACH_MS && estimate.boundMs < told.boundMs / 2);
      if (!due || this.whyNotAllowed(open.hex)) continue;
      this.clocksTold.set(open.hex, { atMs: now, boundMs: estimate.boundMs });
      void this.publisher.publish(open.hex, { case: 'clockEstimate', value: {
        bootId: this.publisher.bootId, offsetNs: msToNs(estimate.offsetMs), errorBoundNs: msToNs(estimate.boundMs),
        driftPpb: estimate.driftPpb, atMonotonicNs: msToNs(now),
      } }).catch(() => {});
    }
  }

  whyNotAllowed(caseHex: string): string | undefined {
    return this.publisher.notAllowed.get(caseHex);
  }

  whyNotNow(caseHex: string): string | undefined {
    return this.publisher.notNow.get(caseHex);
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

  // A step of the case: what the hub has against it is shown where it was asked for.
  async askStep(caseHex: string, body: Body): Promise<void> {
    const record = await this.publish(caseHex, body);
    if (record) this.steps.add(idOf(record));
    else this.cases.get(caseHex)?.screen.cameToStage(undefined);
  }

  // A step that this page wrote is not known to be on record.
  isStepWaiting(caseHex: string): boolean {
    return this.publisher.countWaiting(caseHex, 'caseLifecycle') > 0;
  }

  // Steps that were sent long ago and are the hub's to answer, the last one of each case.
  unanswered(): Unsent[] {
    const last = new Map(this.publisher.unansweredSteps().map((u) => [u.entry.caseId, u]));
    return [...last.values()];
  }

  async readUnsent(): Promise<void> {
    this.unsent.value = lastOfEach(await this.store.offered(this.identity.name).catch(() => []));
  }

  // Sent anew or not wanted any more: it is offered no longer. False where another window was first.
  async dropUnsent(all: Waiting[]): Promise<boolean> {
    await this.readUnsent();
    const isOffered = this.unsent.value.some((u) => u.all.some((e) => all.some((a) => a.id === e.id)));
    await this.store.remove(all).catch((error: unknown) => this.notify(`This browser did not forget it: ${String(error)}`));
    await this.readUnsent();
    return isOffered;
  }

  // `file`: what the reader may save.
  notify(text: string, file?: NoticeFile): void {
    this.notices.value = [...this.notices.value.slice(-3), { key: ++this.noticeKey, text, file }];
  }

  dismiss(key: number): void {
    this.notices.value = this.notices.value.filter((n) => n.key !== key);
  }

  private kept(record: CaseRecord): void {
    this.cases.get(toHex(record.caseId))?.model.apply(record);
  }

  private refused(refused: RecordRefused, origin: Uint8Array): void {
    const id = `${toHex(origin)}/${refused.lane}/${refused.originSeq}`;
    const open = this.cases.get(toHex(refused.caseId));
    open?.model.withdraw(id);
    if (open && this.steps.delete(id)) {
      // A case that is CLOSING is refused for its stage only where records are missing (closing.tsx); that it is
      // may come here after the refusal.
      const stage = (this.directory.cases.value.get(open.hex) ?? open.model.summary.value)?.stage;
      open.screen.stepAsked.value = false;
      open.screen.stepRefused.value = {
        text: refused.text,
        gaps: refused.reason === RefusalReason.WRONG_STAGE && (stage === CaseStage.OPEN || stage === CaseStage.CLOSING),
      };
      return;
    }
    this.notify(`The hub refused what you sent: ${refused.text}`);
  }
}
