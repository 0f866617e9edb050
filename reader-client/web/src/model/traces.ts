// Evoked traces: the sweep that runs, the finished ones before it, the baseline, the measurement.

import { signal } from '@preact/signals';
import type { Signal } from '@preact/signals';
import type { BaselineSet } from '../wire/generated/remora/v1/case_pb.js';
import type { Measurement } from '../wire/generated/remora/v1/measurement_pb.js';
import type { RejectedCounts, Side, Sweep } from '../wire/generated/remora/v1/waveform_pb.js';
import type { Modality } from '../wire/generated/remora/v1/waveform_pb.js';
import { idFrom } from '../wire/record_id.js';
import type { Id } from '../wire/record_id.js';
import { toMicrovolts } from '../wire/samples.js';
import { better, byOrder } from './stamp.js';
import type { Mark } from './stamp.js';
import { fullName, modalityOfTrace, nameOf } from './trace_names.js';

// Finished sweeps kept of each trace: the ghost, and the evidence that measurements refer to.
export const KEPT_SWEEPS = 32;

export interface Waveform {
  values: Float32Array;
  firstSampleMs: number;
  sampleRateHz: number;
}

export interface SweepView extends Waveform {
  mark: Mark;
  sweep: Sweep;
  // When the last stimulus in it was given, in the hub's time; the hub's stamp where the origin's
  // clock is not known.
  stimulusMs: number;
}

export interface BaselineView extends Waveform {
  mark: Mark;
  baseline: BaselineSet;
}

export interface Trace {
  id: string;
  modality: Modality;
  side: Side;
  derivation: string;
  // The derivation, and behind it what else tells this trace apart: "TA \u00b7 after TES C3-C4".
  name: string;
  version: Signal<number>;
  // The newest, provisional or finished.
  current: SweepView | undefined;
  // The newest last.
  finished: SweepView[];
  // `atMs`: when it was made, in the hub's time, which is earlier than when it came.
  measurement: { mark: Mark; measurement: Measurement; atMs: number } | undefined;
  // The newest that has a trace of its own; and one that a person asked for and that is not carried out yet.
  baseline: BaselineView | undefined;
  baselineAsked: BaselineView | undefined;
}

export class TraceBook {
  // Changes when there is a new trace.
  readonly version = signal(0);
  private readonly traces = new Map<string, Trace>();
  private readonly baselines = new Map<Id, BaselineView>();

  clear(): void {
    // A snapshot may be of another epoch, whose numbers do not compare: nothing of before stays.
    this.baselines.clear();
    this.traces.clear();
    this.version.value++;
  }

  addSweep(view: SweepView): void {
    const { mark, sweep } = view;
    const trace = this.trace(sweep.traceId, sweep.modality, sweep.side, sweep.derivation);
    if (!sweep.provisional) {
      const same = trace.finished.findIndex((s) => s.mark.id === mark.id);
      if (same >= 0) trace.finished[same] = view;
      else trace.finished.push(view);
      trace.finished.sort((a, b) => byOrder(a.mark, b.mark));
      if (trace.finished.length > KEPT_SWEEPS) trace.finished.shift();
    }
    if (isNewer(view, trace.current)) trace.current = view;
    trace.version.value++;
  }

  addMeasurement(mark: Mark, measurement: Measurement, atMs: number = mark.atMs): void {
    const trace = this.trace(measurement.traceId, measurement.modality, measurement.side, '');
    if (trace.measurement && mark.id !== trace.measurement.mark.id && byOrder(mark, trace.measurement.mark) < 0) return;
    trace.measurement = { mark, measurement, atMs };
    trace.version.value++;
  }

  addBaseline(mark: Mark, baseline: BaselineSet): void {
    const known = this.baselines.get(mark.id);
    if (!better(mark, known?.mark)) return;
    const view: BaselineView = {
      mark, baseline,
      values: toMicrovolts(baseline.average),
      firstSampleMs: baseline.firstSampleMs,
      sampleRateHz: baseline.sampleRateHz,
    };
    this.baselines.set(mark.id, view);
    const trace = this.traces.get(baseline.traceId) ??
      this.trace(baseline.traceId, modalityOfTrace(baseline.traceId), 0, '');
    this.choose(trace);
    trace.version.value++;
  }

  removeBaseline(id: Id): void {
    const view = this.baselines.get(id);
    if (!view || !this.baselines.delete(id)) return;
    const trace = this.traces.get(view.baseline.traceId);
    if (!trace) return;
    this.choose(trace);
    trace.version.value++;
  }

  get(traceId: string): Trace | undefined {
    return this.traces.get(traceId);
  }

  // Left before right, rostral above caudal.
  list(): Trace[] {
    return [...this.traces.values()].sort((a, b) =>
      a.modality - b.modality || rostralRank(a.derivation) - rostralRank(b.derivation) ||
      a.derivation.localeCompare(b.derivation) || a.side - b.side ||
      a.name.localeCompare(b.name, 'en', { numeric: true }));
  }

  baselineList(): BaselineView[] {
    return [...this.baselines.values()].sort((a, b) => byOrder(a.mark, b.mark));
  }

  private choose(trace: Trace): void {
    const all = this.baselineList().filter((b) => b.baseline.traceId === trace.id);
    trace.baseline = all.findLast((b) => b.values.length > 0);
    trace.baselineAsked = all.findLast(
      (b) => b.values.length === 0 && !all.some((o) => idFrom(o.baseline.askedBy) === b.mark.id));
  }

  private trace(id: string, modality: Modality, side: Side, derivation: string): Trace {
    let trace = this.traces.get(id);
    if (!trace) {
      const name = nameOf(id, derivation);
      trace = {
        id, modality, side, derivation: name.derivation, name: fullName(name), version: signal(0),
        current: undefined, finished: [], measurement: undefined, baseline: undefined,
        baselineAsked: undefined,
      };
      this.traces.set(id, trace);
      this.version.value++;
    } else if (derivation && trace.derivation !== derivation) {
      trace.derivation = derivation;
      trace.name = fullName(nameOf(id, derivation));
    }
    if (side !== 0 && trace.side === 0) {
      trace.side = side;
      this.version.value++;
    }
    return trace;
  }
}

export function sweepView(mark: Mark, sweep: Sweep, stimulusMs: number | undefined): SweepView {
  return {
    mark, sweep,
    values: toMicrovolts(sweep.average),
    firstSampleMs: sweep.firstSampleMs,
    sampleRateHz: sweep.sampleRateHz,
    stimulusMs: stimulusMs ?? mark.atMs,
  };
}

// The sweep before the one shown: its ghost. Of single responses the one at the same place: the fourth twitch
// beside the fourth of the train before, a screw beside itself.
export function previousOf(trace: Trace, shown: SweepView | undefined): SweepView | undefined {
  return trace.finished.findLast((s) => s.mark.id !== shown?.mark.id &&
    (!shown || (s.sweep.site === shown.sweep.site && byOrder(s.mark, shown.mark) < 0)));
}

// One stimulus, or one train: nothing was averaged.
export const isSingle = (sweep: Pick<Sweep, 'requestedCount' | 'provisional'>): boolean =>
  sweep.requestedCount === 1 && !sweep.provisional;

export function rejectedCount(r: RejectedCounts | undefined): number {
  return r ? r.overAmplitudeCount + r.clippedCount + r.disconnectedCount + r.notFiniteCount +
    r.gapCount + r.interferenceCount : 0;
}

export const baselineSetMs = (b: BaselineView): number => b.mark.atMs;

function isNewer(view: SweepView, current: SweepView | undefined): boolean {
  if (!current || current.mark.id === view.mark.id) return true;
  if (current.sweep.blockIndex !== view.sweep.blockIndex) {
    return byOrder(view.mark, current.mark) > 0;
  }
  // A provisional average never replaces the finished one of its own block.
  if (!current.sweep.provisional && view.sweep.provisional) return false;
  return byOrder(view.mark, current.mark) >= 0 || !view.sweep.provisional;
}

// Head to foot: cortical, subcortical, spinal, peripheral.
export function rostralRank(derivation: string): number {
  const name = derivation.toLowerCase();
  if (/cv|c2s|c5s|mastoid|inion|neck/.test(name)) return 1;
  if (/lp|t12|l1|lumbar/.test(name)) return 2;
  if (/erb|^ep|clav/.test(name)) return 3;
  if (/^pf|popl|knee|ankle/.test(name)) return 4;
  return 0;
}
