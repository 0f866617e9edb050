// How a person has set up the screen of a case: gain, timebase, what is held, what is being written.
// It belongs to the case and never changes by itself.

import { signal } from '@preact/signals';
import type { Id } from '../wire/record_id.js';
import { CaseStage } from '../wire/generated/remora/v1/case_pb.js';
import type { Modality } from '../wire/generated/remora/v1/waveform_pb.js';
import { MessageKind } from '../wire/generated/remora/v1/message_pb.js';
import type { Late } from './left_out.js';
import { Looked } from './looked.js';
import { firstSetting } from './pane_setting.js';
import type { PaneSetting } from './pane_setting.js';
import type { Review } from './review.js';
import { previousOf } from './traces.js';
import type { BaselineView, SweepView, Trace, TraceBook } from './traces.js';

export interface Draft {
  text: string;
  kind: MessageKind;
  urgent: boolean;
  about: Id | undefined;
  // The newest record of the alert it is about, when it was begun.
  seen: Id | undefined;
}
export const EMPTY_DRAFT: Draft =
  { text: '', kind: MessageKind.CHAT, urgent: false, about: undefined, seen: undefined };

// An acknowledgement that can be taken back for a while, on this page's clock.
export interface Undoable {
  action: Id;
  untilMs: number;
}

// What is seen of a trace at one moment: all of it together, or it would mislead.
export interface TraceView {
  current: SweepView | undefined;
  previous: SweepView | undefined;
  measurement: Trace['measurement'];
  baseline: BaselineView | undefined;
}
const viewOf = (t: Trace): TraceView => ({
  current: t.current, previous: previousOf(t, t.current), measurement: t.measurement, baseline: t.baseline,
});

export interface Held {
  // The hub's time when the view was held.
  atMs: number;
  traces: ReadonlyMap<string, TraceView>;
}

// What an annotation will be on.
export interface Target {
  words: string;
  about: Id | undefined;
  traceId: string;
  atLatencyMs: number | undefined;
}

interface Kept {
  panes: [Modality, PaneSetting][];
  draft: Draft;
}

export class CaseScreen {
  // undefined: all modalities.
  readonly only = signal<Modality | undefined>(undefined);
  // The pane that the arrow keys act on.
  readonly active = signal<Modality | undefined>(undefined);
  readonly panes = signal<ReadonlyMap<Modality, PaneSetting>>(new Map());
  readonly held = signal<Held | undefined>(undefined);
  // What is being looked through of a time that is over.
  readonly review = signal<Review | undefined>(undefined);
  // Intervals that were looked through to their end, and as far as anything had come late by then.
  readonly lookedThrough = signal<ReadonlyMap<Id, Late>>(new Map());
  // A time of which the records are being fetched.
  readonly asking = signal(false);
  // The hub was asked for a step of the case, and has neither taken nor refused it.
  readonly stepAsked = signal(false);
  // What the hub said when it refused a step of the case; `gaps`: a reason would close it all the same, if it is CLOSING.
  readonly stepRefused = signal<{ text: string; gaps: boolean } | undefined>(undefined);
  // How much of the case trends and time line show.
  readonly trendRangeMs = signal(3_600_000);
  // How long each alert's evidence has been on the screen.
  readonly looked = new Looked();
  readonly draft = signal<Draft>(EMPTY_DRAFT);
  readonly target = signal<Target | undefined>(undefined);
  readonly baselineOpen = signal(false);
  // By alert.
  readonly undoables = signal<ReadonlyMap<Id, Undoable>>(new Map());

  constructor(private readonly caseHex: string) {
    try {
      const kept = JSON.parse(sessionStorage.getItem(this.key()) ?? 'null') as Kept | null;
      if (kept) {
        this.panes.value = new Map(kept.panes);
        this.draft.value = { ...EMPTY_DRAFT, ...kept.draft };
      }
    } catch {
      // No store, or another version's: the first settings do.
    }
  }

  keep(): void {
    const kept: Kept = { panes: [...this.panes.value], draft: this.draft.value };
    try {
      sessionStorage.setItem(this.key(), JSON.stringify(kept));
    } catch {
      // Only convenience is lost.
    }
  }

  setting(modality: Modality): PaneSetting {
    return this.panes.value.get(modality) ?? firstSetting(modality);
  }

  change(modality: Modality, by: Partial<PaneSetting>): void {
    this.panes.value = new Map(this.panes.value).set(modality, { ...this.setting(modality), ...by });
    this.keep();
  }

  write(draft: Partial<Draft>): void {
    this.draft.value = { ...this.draft.value, ...draft };
    this.keep();
  }

  hold(atMs: number, traces: TraceBook): void {
    this.held.value = { atMs, traces: new Map(traces.list().map((t) => [t.id, viewOf(t)])) };
  }

  // What is on the screen of a trace: as it was held, or as it is. A trace that came since was not there.
  shown(trace: Trace): TraceView {
    const review = this.review.value;
    if (review) return review.shown(trace);
    const held = this.held.value;
    if (!held) return viewOf(trace);
    return held.traces.get(trace.id) ??
      { current: undefined, previous: undefined, measurement: undefined, baseline: undefined };
  }

  askedForStep(): void {
    this.stepAsked.value = true;
    this.stepRefused.value = undefined;
  }

  // The case came to another stage. CLOSING is on the way to CLOSED, which is still asked for.
  cameToStage(stage: CaseStage | undefined): void {
    if (stage === CaseStage.CLOSING) return;
    this.stepAsked.value = false;
    this.stepRefused.value = undefined;
  }

  stepReview(by: number): void {
    this.review.value?.step(by);
    this.noteLookedThrough();
  }

  noteLookedThrough(): void {
    const review = this.review.value;
    if (!review?.interval || !review.isDone) return;
    this.lookedThrough.value = new Map(this.lookedThrough.value).set(review.interval, review.late);
  }

  // What came late since must be looked at too; after a snapshot nobody knows here whether anything did.
  hasLookedThrough(interval: Id, late: Late): boolean {
    const looked = this.lookedThrough.value.get(interval);
    return looked !== undefined && looked.snapshots === late.snapshots && late.to <= looked.to;
  }

  live(): void {
    this.held.value = undefined;
    this.review.value = undefined;
  }

  private key(): string {
    return `remora-case-${this.caseHex}`;
  }
}
