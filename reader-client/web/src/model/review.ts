// Looking through a part of the case that is over: the finished sweeps of that time, one after another,
// in panes that say so. The case itself goes on beside it.

import { signal } from '@preact/signals';
import type { Record as CaseRecord } from '../wire/generated/remora/v1/record_pb.js';
import { idFrom } from '../wire/record_id.js';
import type { Id } from '../wire/record_id.js';
import type { TraceView } from './case_screen.js';
import type { CaseModel } from './case_model.js';
import { markOf } from './stamp.js';
import type { SweepView, Trace } from './traces.js';

// Sweeps whose stimuli ended so close together are one step: both sides, all derivations.
const ONE_STEP_MS = 1_500;

export interface ReviewedTime {
  // In the hub's time.
  fromMs: number;
  toMs: number;
}

export class Review {
  // Times of the steps, in the hub's time.
  readonly steps: readonly number[];
  readonly index = signal(0);
  readonly count: number;
  private readonly sweeps = new Map<string, SweepView[]>();
  private readonly measurements = new Map<Id, TraceView['measurement']>();

  // `model`: of the case; it knows the clocks. What came late stands in no order of its time.
  constructor(
    model: CaseModel, records: readonly CaseRecord[], readonly time: ReviewedTime,
    // In words, where it is not all that was asked for.
    readonly error: string | undefined) {
    const times: number[] = [];
    for (const record of records) {
      const body = record.body;
      if (body.case === 'measurement') {
        const of = idFrom(body.value.sweep);
        if (of) this.measurements.set(of, { mark: markOf(record), measurement: body.value, atMs: model.capturedMs(record) });
      }
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
    const steps: number[] = [];
    for (const at of times.sort((a, b) => a - b)) {
      if (steps.length > 0 && at - steps[steps.length - 1]! < ONE_STEP_MS) steps[steps.length - 1] = at;
      else steps.push(at);
    }
    this.steps = steps;
  }

  atMs(): number {
    return this.steps[this.index.value] ?? this.time.toMs;
  }

  step(by: number): void {
    this.index.value = Math.max(0, Math.min(this.steps.length - 1, this.index.value + by));
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
}
