// Looking through a part of the case that is over: the finished sweeps and the EMG's envelopes of that time, one
// page after another, in panes that say so. The case itself goes on beside it.

import { signal } from '@preact/signals';
import type { Envelope } from '../wire/generated/remora/v1/waveform_pb.js';
import type { Record as CaseRecord } from '../wire/generated/remora/v1/record_pb.js';
import { idFrom } from '../wire/record_id.js';
import type { Id } from '../wire/record_id.js';
import type { TraceView } from './case_screen.js';
import type { CaseModel } from './case_model.js';
import { EmgBook } from './emg.js';
import type { ActivityView, EmgChannel } from './emg.js';
import type { Late } from './left_out.js';
import { bootOf, markOf } from './stamp.js';
import type { SweepView, Trace } from './traces.js';

// Sweeps whose stimuli ended so close together are one step: both sides, all derivations.
const ONE_STEP_MS = 1_500;
// So much EMG is across in a review, and no step goes farther than it shows.
export const EMG_SPAN_MS = 30_000;
const EMG_STEP_MS = 28_000;

export interface ReviewedTime {
  // In the hub's time.
  fromMs: number;
  toMs: number;
}

interface EnvelopeAt {
  record: CaseRecord;
  boot: string;
  envelope: Envelope;
  fromMs: number;
  toMs: number;
}

export class Review {
  // Times of the steps, in the hub's time.
  readonly steps: readonly number[];
  readonly index = signal(0);
  readonly count: number;
  readonly hasEmg: boolean;
  // The last step up to which none was left out.
  readonly reached = signal(0);
  private readonly sweeps = new Map<string, SweepView[]>();
  private readonly measurements = new Map<Id, TraceView['measurement']>();
  private readonly envelopes: EnvelopeAt[] = [];
  private readonly activities: CaseRecord[] = [];
  private drawn: { index: number; book: EmgBook } | undefined;

  // `model`: of the case; it knows the clocks. What came late stands in no order of its time.
  constructor(
    model: CaseModel, records: readonly CaseRecord[], readonly time: ReviewedTime,
    // In words, where it is not all that was asked for.
    readonly error: string | undefined,
    // The interval that is looked through; none where this page was away itself.
    readonly interval: Id | undefined = undefined,
    // As far as anything had come late when it was asked for.
    readonly late: Late = { snapshots: 0, to: 0n }) {
    const times: number[] = [];
    for (const record of records) {
      const body = record.body;
      if (body.case === 'measurement') {
        const of = idFrom(body.value.sweep);
        if (of) this.measurements.set(of, { mark: markOf(record), measurement: body.value, atMs: model.capturedMs(record) });
      }
      if (body.case === 'envelope') this.addEnvelope(model, record, body.value);
      if (body.case === 'emgActivity') this.activities.push(record);
      const view = model.sweepOf(record);
      if (!view || view.sweep.provisional || view.stimulusMs < time.fromMs || view.stimulusMs > time.toMs) continue;
      const known = this.sweeps.get(view.sweep.traceId) ?? [];
      this.sweeps.set(view.sweep.traceId, known);
      if (known.some((s) => s.mark.id === view.mark.id)) continue;
      known.push(view);
      times.push(view.stimulusMs);
    }
    for (const list of this.sweeps.values()) list.sort((a, b) => a.stimulusMs - b.stimulusMs);
    this.count = times.length;
    this.hasEmg = this.envelopes.length > 0;
    this.steps = this.withEmg(joined(times));
  }

  atMs(): number {
    return this.steps[this.index.value] ?? this.time.toMs;
  }

  step(by: number): void {
    this.index.value = Math.max(0, Math.min(this.steps.length - 1, this.index.value + by));
    if (this.index.value === this.reached.value + 1) this.reached.value++;
  }

  // Each step was on the screen, and all that was asked for came. Where there is none yet, nothing was looked at.
  get isDone(): boolean {
    return this.error === undefined && this.steps.length > 0 && this.reached.value >= this.steps.length - 1;
  }

  shown(trace: Trace): TraceView {
    const until = this.atMs();
    const past = (this.sweeps.get(trace.id) ?? []).filter((s) => s.stimulusMs <= until);
    const current = past[past.length - 1];
    return {
      current, previous: past[past.length - 2], baseline: trace.baseline,
      measurement: current && this.measurements.get(current.mark.id),
    };
  }

  // The EMG up to this step, in the rows of the case; a muscle without any has no blocks.
  emgOf(rows: EmgChannel[]): EmgChannel[] {
    const then = new Map(this.book().list().map((c) => [c.traceId, c]));
    return rows.map((row) => then.get(row.traceId) ?? { ...row, blocks: [], headMs: 0, headHubMs: 0 });
  }

  activitiesOf(channel: EmgChannel): ActivityView[] {
    return this.book().activitiesOf(channel);
  }

  private addEnvelope(model: CaseModel, record: CaseRecord, envelope: Envelope): void {
    const fromMs = model.hubMsOf(record, envelope.startedMonotonicNs);
    if (fromMs === undefined) return;
    const toMs = fromMs + envelope.binMs * (envelope.minimum?.sampleCount ?? 0);
    if (toMs < this.time.fromMs || fromMs > this.time.toMs) return;
    this.envelopes.push({ record, boot: bootOf(record), envelope, fromMs, toMs });
  }

  // Steps between the sweeps, where else a part of the EMG would be passed over.
  private withEmg(steps: number[]): number[] {
    if (!this.hasEmg) return steps;
    const from = Math.min(...this.envelopes.map((e) => e.fromMs));
    const to = Math.max(...this.envelopes.map((e) => e.toMs));
    const all: number[] = [];
    let shownTo = from;
    for (const at of [...steps, to].sort((a, b) => a - b)) {
      for (; Math.min(at, to) - shownTo > EMG_STEP_MS; shownTo += EMG_STEP_MS) all.push(shownTo + EMG_STEP_MS);
      if (at !== to || all.length === 0 || to - all[all.length - 1]! > 1) all.push(at);
      shownTo = Math.max(shownTo, Math.min(at, to));
    }
    return all;
  }

  private book(): EmgBook {
    if (this.drawn?.index === this.index.value) return this.drawn.book;
    const book = new EmgBook();
    const until = this.atMs();
    for (const e of this.envelopes) {
      if (e.toMs <= until && e.toMs > until - EMG_SPAN_MS - EMG_STEP_MS) book.addEnvelope(markOf(e.record), e.boot, e.envelope, e.toMs);
    }
    for (const record of this.activities) {
      if (record.body.case === 'emgActivity') book.addActivity(markOf(record), bootOf(record), record.body.value);
    }
    this.drawn = { index: this.index.value, book };
    return book;
  }
}

// What ended close together is one step, at its last.
function joined(times: number[]): number[] {
  const steps: number[] = [];
  for (const at of times.sort((a, b) => a - b)) {
    if (steps.length > 0 && at - steps[steps.length - 1]! < ONE_STEP_MS) steps[steps.length - 1] = at;
    else steps.push(at);
  }
  return steps;
}
