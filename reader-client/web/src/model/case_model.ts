// What is known of one case: a fold of its snapshot and of the records that came since. Applying a
// record twice changes nothing.

import { batch, signal } from '@preact/signals';
import { toHex } from '../base/bytes.js';
import { nsToMs } from '../base/format.js';
import { decode } from '../room/inbox.js';
import type { RoomListener } from '../room/case_room.js';
import type { CasePlanSet, Phase } from '../wire/generated/remora/v1/case_pb.js';
import { LinkCondition, RecordingCondition } from '../wire/generated/remora/v1/link_pb.js';
import type { Certificate, DataGap, LinkState } from '../wire/generated/remora/v1/link_pb.js';
import type { CaseSummary } from '../wire/generated/remora/v1/directory_pb.js';
import type { Record as CaseRecord } from '../wire/generated/remora/v1/record_pb.js';
import type { CaseState, Gap, Snapshot } from '../wire/generated/remora/v1/room_pb.js';
import type { Id } from '../wire/record_id.js';
import { AlertBook } from './alerts.js';
import { CauseBook } from './causes.js';
import { RequestBook } from './requests.js';
import { ClockSteps } from './clock_steps.js';
import type { ClockStep } from './clock_steps.js';
import { EmgBook } from './emg.js';
import { dataGapWords } from './gap_words.js';
import type { KnownGap, Span } from './gap_words.js';
import { IntervalBook } from './intervals.js';
import { LeftOutBook } from './left_out.js';
import { AnnotationBook, TalkBook } from './talk.js';
import { StageBook } from './standing.js';
import { better, bootOf, byOrder, markOf } from './stamp.js';
import type { Mark } from './stamp.js';
import { ToldBook } from './told.js';
import { ToldFetch } from './told_fetch.js';
import type { FetchParts } from './told_fetch.js';
import { ToldLog } from './told_log.js';
import { toldOf } from './told_words.js';
import { sweepView, TraceBook } from './traces.js';
import type { SweepView } from './traces.js';
import { TrendBook } from './trends.js';
import { readsCases } from './words.js';

export interface TimelineEvent {
  id: Id;
  atMs: number;
  // When it ended, where it lasted.
  toMs?: number;
  kind: 'phase' | 'baseline' | 'note' | 'gap' | 'alert';
  text: string;
  // Shown, and not on record (yet).
  unrecorded: boolean;
}

// Whether what comes now is on record.
export interface RecordingView {
  unrecorded: boolean;
  // In the hub's time; 0: not said.
  sinceMs: number;
  cause: string;
}

// Ids that are remembered until their records come again: an hour of a busy case.
const MOST_UNRECORDED = 200_000;
const FIRST_BULK_LANE = 3;

// A record of the hub's own is stamped at once, but for one that waited longer than this for its journal.
const AT_ONCE_MS = 5_000;

export class CaseModel implements RoomListener {
  readonly alerts = new AlertBook();
  readonly talk = new TalkBook();
  readonly annotations = new AnnotationBook();
  readonly causes = new CauseBook();
  readonly requests = new RequestBook();
  readonly traces = new TraceBook();
  readonly trends = new TrendBook();
  readonly emg = new EmgBook();
  // What was told or measured beside traces.
  readonly told = new ToldBook();
  readonly summary = signal<CaseSummary | undefined>(undefined);
  readonly plan = signal<CasePlanSet | undefined>(undefined);
  readonly phases = signal<ReadonlyArray<{ mark: Mark; phase: Phase; actor: string }>>([]);
  readonly notes = signal<ReadonlyArray<TimelineEvent>>([]);
  // A snapshot came: what is shown is whole.
  readonly ready = signal(false);
  readonly ended = signal<string | undefined>(undefined);
  readonly intervals = new IntervalBook();
  // What was left out for this follower since the last snapshot.
  readonly leftOut = new LeftOutBook();
  // Of what is shown, not on record.
  readonly unrecorded = signal(0);
  readonly recording = signal<RecordingView>({ unrecorded: false, sinceMs: 0, cause: '' });
  // How often a publisher said what it made in all: as the case closes.
  readonly totals = signal(0);
  // The DataGaps that are known, for what a certificate says of them.
  readonly gaps = new Map<Id, KnownGap>();
  readonly stages = new StageBook();
  readonly certificate = signal<Certificate | undefined>(undefined);
  // The agent's link by the newest that the hub said of it since the snapshot, on record or not; the
  // summary knows only what is on record.
  readonly agentLink = signal<LinkCondition>(LinkCondition.UNSPECIFIED);
  // Places in the epoch that this screen has come to: of lanes 0-1, and of any.
  controlSeq = 0n;
  headSeq = 0n;
  // As controlSeq, without what screens write by themselves: else views would be news to each other.
  newsSeq = 0n;
  // How many records of lanes 0-1 were shown without a place, again without what screens write.
  unrecordedNews = 0;
  // Newest sign of acquisition, in the hub's time.
  acquiredMs = 0;
  readonly clocks = new ClockSteps();
  // What the case's participants' clocks did, newest last.
  readonly clockSteps = signal<readonly ClockStep[]>([]);
  private readonly offsets = new Map<string, number>();
  // Hub time less monotonic time of the hub itself, by its own records that waited least.
  private readonly hubOffsets = new Map<string, number>();
  private readonly unrecordedIds = new Set<Id>();
  private readonly unrecordedNewsIds = new Set<Id>();
  private agentLinkMark: Mark | undefined;
  // What was told before this page came; none where there is nobody to ask.
  readonly toldFetch: ToldFetch | undefined;

  // `pending`: what this page wrote in the case that is not known to be on record. `record`: the case's record.
  constructor(private readonly pending: () => Uint8Array[] = () => [], record?: FetchParts) {
    if (!record) return;
    const log = new ToldLog(this.told, (r) => this.addTold(r), (lane, seq) => this.toldFetch!.part(lane, seq));
    this.toldFetch = new ToldFetch(record, this.told, log, () => this.leftOut.lighter.value || this.leftOut.slowLink.value);
  }

  onSnapshot(snapshot: Snapshot): void {
    batch(() => this.restart(snapshot));
  }

  private restart(snapshot: Snapshot): void {
    this.alerts.clear();
    this.talk.clear();
    this.annotations.clear();
    this.causes.clear();
    this.requests.clear();
    this.traces.clear();
    this.trends.clear();
    this.emg.clear();
    const madeMs = nsToMs(snapshot.state?.summary?.lastRecordUnixNs ?? 0n);
    this.told.restart(snapshot.cursor?.epoch ?? 0, madeMs);
    this.toldFetch?.onSnapshot(snapshot, madeMs);
    this.phases.value = [];
    this.notes.value = [];
    this.gaps.clear();
    this.stages.clear();
    this.unrecordedIds.clear();
    this.unrecordedNewsIds.clear();
    this.agentLinkMark = undefined;
    this.agentLink.value = LinkCondition.UNSPECIFIED;
    this.unrecorded.value = 0;
    this.intervals.clear();
    this.leftOut.clear();
    this.controlSeq = 0n;
    if (snapshot.state) this.applyState(snapshot.state);
    this.applyAll(snapshot.records);
    for (const lane of snapshot.cursor?.lanes ?? []) if (lane.lane <= 1 && lane.seq > this.controlSeq) this.controlSeq = lane.seq;
    this.headSeq = snapshot.headSeq;
    // A snapshot knows nothing of what is still on its way.
    this.applyAll(this.pending());
    this.ended.value = undefined;
    this.ready.value = true;
  }

  onRecord(record: CaseRecord): void {
    this.apply(record);
    this.leftOut.came(record.lane);
    const seq = record.stamp?.seq ?? 0n;
    if (seq > 0n) this.toldFetch?.onPlace(record.lane, seq, markOf(record).atMs);
    if (seq > this.headSeq) this.headSeq = seq;
    if (record.lane > 1) return;
    const isNews = record.body.case !== 'viewSeen' && record.body.case !== 'clockEstimate';
    if (isNews) this.countNews(markOf(record));
    if (seq <= this.controlSeq) return;
    this.controlSeq = seq;
    if (isNews) this.newsSeq = seq;
  }

  onGap(gap: Gap): void {
    this.leftOut.add(gap);
    this.toldFetch?.onGap(gap);
  }

  // A heartbeat repeats the condition without its beginning and cause.
  onRecording(condition: RecordingCondition, sinceMs: number, cause: string): void {
    const unrecorded = condition === RecordingCondition.UNRECORDED;
    const known = this.recording.value;
    if (known.unrecorded === unrecorded && sinceMs === 0) return;
    this.recording.value = { unrecorded, sinceMs, cause };
  }

  onEnded(cause: string): void {
    this.ended.value = cause || 'The hub ended this follow.';
  }

  // The hub refused a record of this page.
  withdraw(id: Id): void {
    this.alerts.remove(id);
    this.talk.remove(id);
    this.annotations.remove(id);
    this.causes.remove(id);
    this.requests.remove(id);
    this.traces.removeBaseline(id);
    this.intervals.removeReview(id);
  }

  // When the record was made, in the hub's time; when it was recorded where the origin's clock is not known.
  capturedMs(record: CaseRecord): number {
    return this.hubMs(bootOf(record), record.capturedAt?.monotonicNs ?? 0n) ?? markOf(record).atMs;
  }

  // A time of the record's origin in the hub's time, where its clock is known.
  hubMsOf(record: CaseRecord, monotonicNs: bigint): number | undefined {
    return this.hubMs(bootOf(record), monotonicNs);
  }

  // A sweep as it would be drawn, wherever it came from.
  sweepOf(record: CaseRecord): SweepView | undefined {
    if (record.body.case !== 'sweep') return undefined;
    const sweep = record.body.value;
    return sweepView(markOf(record), sweep, this.hubMs(bootOf(record), sweep.lastStimulusMonotonicNs));
  }

  apply(record: CaseRecord): void {
    const mark = markOf(record);
    this.countUnrecorded(mark);
    this.clocks.learn(record);
    const boot = bootOf(record);
    const body = record.body;
    switch (body.case) {
      case 'alert': this.alerts.addAlert(mark, body.value); break;
      case 'alertAction': this.alerts.addAction(mark, body.value); break;
      case 'message': this.talk.addMessage(mark, body.value); break;
      case 'messageReceipt': this.talk.addReceipt(mark, body.value); break;
      case 'caseLifecycle': this.stages.add(mark, body.value); break;
      case 'casePlanSet':
        this.plan.value = body.value;
        this.emg.setOrder(body.value.plan?.emg.map((e) => e.derivation) ?? []);
        break;
      case 'phaseChange': this.addPhase(mark, body.value.phase, body.value.actor); break;
      case 'baselineSet': this.traces.addBaseline(mark, body.value); break;
      case 'annotation': this.annotations.add(mark, body.value); break;
      case 'differential': this.causes.add(mark, body.value); break;
      case 'request': this.requests.add(mark, body.value); break;
      case 'dataGap': this.takeGap(mark, boot, body.value); break;
      case 'clockEstimate':
        this.offsets.set(`${toHex(record.origin)}/${body.value.bootId}`, nsToMs(body.value.offsetNs));
        this.clocks.add(record, body.value);
        if (this.clocks.list().length !== this.clockSteps.value.length) this.clockSteps.value = this.clocks.list();
        break;
      case 'sourceNote': this.note(mark, 'note', body.value.text); break;
      case 'measurement':
        this.traces.addMeasurement(mark, body.value, this.hubMs(boot, record.capturedAt?.monotonicNs ?? 0n));
        this.trends.add(mark, body.value, this.hubMs(boot, record.capturedAt?.monotonicNs ?? 0n));
        break;
      case 'emgActivity': this.emg.addActivity(mark, boot, body.value); break;
      case 'linkState':
        this.intervals.addLink(mark, body.value, this.writtenMs(record, mark));
        this.takeLink(mark, body.value);
        break;
      case 'unrecordedInterval':
        this.intervals.addUnrecorded(mark, body.value);
        this.forgetUnrecordedBulk();
        break;
      case 'presence': case 'signedHead': this.writtenMs(record, mark); break;
      case 'backlogReviewed': this.intervals.addReview(mark, body.value); break;
      case 'publisherTotal': this.totals.value++; break;
      case 'certificate': this.certificate.value = body.value; break;
      case 'sweep': {
        const view = this.sweepOf(record)!;
        this.traces.addSweep(view);
        this.acquired(view.stimulusMs);
        break;
      }
      case 'envelope': {
        const { startedMonotonicNs, binMs, minimum } = body.value;
        const started = this.hubMs(boot, startedMonotonicNs);
        const head = started && started + binMs * (minimum?.sampleCount ?? 0);
        this.emg.addEnvelope(mark, boot, body.value, head);
        this.acquired(head ?? mark.atMs);
        break;
      }
      case 'sampleBlock': {
        const { startedMonotonicNs, sampleRateHz, samples } = body.value;
        const started = this.hubMs(boot, startedMonotonicNs);
        const head = started && started + (1000 * (samples?.sampleCount ?? 0)) / sampleRateHz;
        this.emg.addBlock(mark, boot, body.value, head);
        this.acquired(head ?? mark.atMs);
        break;
      }
      default:
        if (toldOf(body).length === 0) break;
        this.toldFetch?.onTold(record);
        this.addTold(record);
    }
  }

  private addTold(record: CaseRecord): void {
    const boot = bootOf(record);
    this.told.add(markOf(record), record.body, (monotonicNs) => this.hubMs(boot, monotonicNs));
  }

  // The phase that the operation is in.
  phaseNow(): Phase {
    const newest = [...this.phases.value].sort((a, b) => byOrder(a.mark, b.mark)).pop();
    return newest?.phase ?? this.summary.value?.phase ?? 0;
  }

  events(): TimelineEvent[] {
    const phases = this.phases.value.map((p): TimelineEvent =>
      ({ id: p.mark.id, atMs: p.mark.atMs, kind: 'phase', text: String(p.phase), unrecorded: p.mark.unrecorded }));
    return [...phases, ...this.notes.value].sort((a, b) => a.atMs - b.atMs);
  }

  private applyState(state: CaseState): void {
    if (state.summary) this.summary.value = state.summary;
    // The origins' clocks first: they tell the age of all that follows.
    this.applyAll(state.clockEstimates);
    this.applyAll([
      ...state.lifecycle, ...(state.plan.length > 0 ? [state.plan] : []), ...state.phases,
      ...state.baselines, ...state.alerts, ...state.alertActions, ...state.messages,
      ...state.receipts, ...state.annotations, ...state.activities, ...state.gaps,
      ...state.outages, ...state.unrecordedIntervals, ...state.backlogReviews, ...state.certificates,
      ...state.differentials, ...state.requests,
    ]);
    this.trends.replace(state.trends);
  }

  private applyAll(records: Uint8Array[]): void {
    for (const bytes of records) {
      const record = decode(bytes);
      if (record) this.apply(record);
    }
  }

  private hubMs(boot: string, monotonicNs: bigint): number | undefined {
    const offset = this.offsets.get(boot);
    return offset === undefined || monotonicNs === 0n ? undefined : offset + nsToMs(monotonicNs);
  }

  private acquired(atMs: number): void {
    if (Number.isFinite(atMs)) this.acquiredMs = Math.max(this.acquiredMs, atMs);
  }

  private addPhase(mark: Mark, phase: Phase, actor: string): void {
    const known = this.phases.value.find((p) => p.mark.id === mark.id);
    if (!better(mark, known?.mark)) return;
    this.phases.value = [...this.phases.value.filter((p) => p !== known), { mark, phase, actor }];
  }

  private note(mark: Mark, kind: TimelineEvent['kind'], text: string, span?: Span): void {
    const rest = this.notes.value.filter((n) => n.id !== mark.id);
    this.notes.value = [...rest, { id: mark.id, atMs: span?.fromMs ?? mark.atMs, toMs: span?.toMs, kind, text, unrecorded: mark.unrecorded }];
  }

  // Where it says from when to when, it lies there, and not where it was told.
  private takeGap(mark: Mark, boot: string, gap: DataGap): void {
    const fromMs = this.hubMs(boot, gap.fromMonotonicNs);
    const toMs = this.hubMs(boot, gap.toMonotonicNs);
    const span = fromMs !== undefined && toMs !== undefined && toMs > fromMs ? { fromMs, toMs } : undefined;
    this.gaps.set(mark.id, { cause: gap.cause, span });
    this.note(mark, 'gap', dataGapWords(gap, span), span);
  }

  // It is over: bulk that is offered again comes late, and so not to a screen. The interval, which
  // somebody must look through, stands for it.
  private forgetUnrecordedBulk(): void {
    for (const id of this.unrecordedIds) if (Number(id.split('/')[1]) >= FIRST_BULK_LANE) this.unrecordedIds.delete(id);
    this.unrecorded.value = this.unrecordedIds.size;
  }

  // When the hub wrote a record of its own, in its time.
  private writtenMs(record: CaseRecord, mark: Mark): number {
    const monotonicNs = record.capturedAt?.monotonicNs ?? 0n;
    if (monotonicNs === 0n) return mark.atMs;
    const offset = mark.atMs - nsToMs(monotonicNs);
    const least = Math.min(offset, this.hubOffsets.get(bootOf(record)) ?? offset);
    this.hubOffsets.set(bootOf(record), least);
    return offset - least > AT_ONCE_MS ? mark.atMs - (offset - least) : mark.atMs;
  }

  // A state that comes late is none of now.
  private takeLink(mark: Mark, link: LinkState): void {
    const known = this.agentLinkMark;
    if (link.ownView || readsCases(link.role) || (known && known.id !== mark.id && byOrder(mark, known) < 0)) return;
    this.agentLinkMark = mark;
    this.agentLink.value = link.condition;
  }

  // Something of lanes 0-1 that is shown is not on record.
  hasUnrecordedNews(): boolean {
    return this.unrecordedNewsIds.size > 0;
  }

  private countNews(mark: Mark): void {
    if (!mark.unrecorded) this.unrecordedNewsIds.delete(mark.id);
    else if (this.unrecordedNewsIds.size < MOST_UNRECORDED) {
      this.unrecordedNews++;
      this.unrecordedNewsIds.add(mark.id);
    }
  }

  private countUnrecorded(mark: Mark): void {
    if (mark.unrecorded && this.unrecordedIds.size < MOST_UNRECORDED) this.unrecordedIds.add(mark.id);
    else if (!this.unrecordedIds.delete(mark.id)) return;
    this.unrecorded.value = this.unrecordedIds.size;
  }
}
