// Measurements of each trace over time.

import { signal } from '@preact/signals';
import { nsToMs } from '../base/format.js';
import type { Trend } from '../wire/generated/remora/v1/room_pb.js';
import { MeasurementState } from '../wire/generated/remora/v1/measurement_pb.js';
import { MarkConfidence } from '../wire/generated/remora/v1/waveform_pb.js';
import type { Measurement } from '../wire/generated/remora/v1/measurement_pb.js';
import type { Id } from '../wire/record_id.js';
import type { Mark } from './stamp.js';

// Points kept of a trace. Beyond it, every second one that lies within limits goes; crossings stay.
export const KEPT_POINTS = 2_000;
// Points that are this many usual distances apart are not joined.
const GAP_FACTOR = 2.5;

export interface Point {
  // Of a snapshot's points only the place is known.
  id: Id | undefined;
  seq: bigint;
  atMs: number;
  amplitudePercent: number;
  latencyPercent: number;
  amplitudeUv: number;
  latencyMs: number;
  state: MeasurementState;
  // Hollow: seen, and not to be relied on.
  hollow: boolean;
}

const isHollow = (state: number, confidence: number): boolean =>
  state === MeasurementState.NOT_INTERPRETABLE || confidence === MarkConfidence.UNCERTAIN;

export interface TrendLine {
  traceId: string;
  component: string;
  points: Point[];
}

export class TrendBook {
  readonly version = signal(0);
  private readonly lines = new Map<string, TrendLine>();

  clear(): void {
    this.lines.clear();
    this.version.value++;
  }

  replace(trends: Trend[]): void {
    this.lines.clear();
    for (const trend of trends) {
      // A chart shows one component: the first that the trace was measured by.
      if (this.lines.has(trend.traceId)) continue;
      this.lines.set(trend.traceId, {
        traceId: trend.traceId,
        component: trend.component,
        points: trend.points.map((p) => ({
          id: undefined,
          seq: p.seq,
          atMs: nsToMs(p.recordedUnixNs),
          amplitudePercent: p.amplitudePercentOfBaseline,
          latencyPercent: p.latencyChangePercent,
          amplitudeUv: p.amplitudeUv,
          latencyMs: p.latencyMs,
          state: p.state as MeasurementState,
          hollow: isHollow(p.state, p.confidence),
        })),
      });
    }
    this.version.value++;
  }

  // `atMs`: when it was measured, in the hub's time. A point that was shown and not on record keeps its time when it is.
  add(mark: Mark, m: Measurement, atMs: number = mark.atMs): void {
    const line = this.lines.get(m.traceId) ?? { traceId: m.traceId, component: m.component, points: [] };
    this.lines.set(m.traceId, line);
    if (line.component !== '' && m.component !== line.component) return;
    line.component = m.component;
    const known = line.points.find((p) => p.id === mark.id || (p.seq === mark.seq && mark.seq !== 0n));
    if (known) {
      if (known.seq === 0n) known.seq = mark.seq;
      return;
    }
    line.points.push({
      id: mark.id, seq: mark.seq, atMs,
      amplitudePercent: m.amplitudePercentOfBaseline,
      latencyPercent: m.latencyChangePercent,
      amplitudeUv: m.amplitudeUv,
      latencyMs: m.latencyMs,
      state: m.state,
      hollow: isHollow(m.state, m.confidence),
    });
    line.points.sort((a, b) => a.atMs - b.atMs);
    if (line.points.length > KEPT_POINTS) line.points = thin(line.points);
    this.version.value++;
  }

  get(traceId: string): TrendLine | undefined {
    return this.lines.get(traceId);
  }

  list(): TrendLine[] {
    return [...this.lines.values()].sort((a, b) => a.traceId.localeCompare(b.traceId));
  }
}

export function thin(points: Point[]): Point[] {
  let dropped = false;
  return points.filter((p, i) => {
    const quiet = p.state === MeasurementState.WITHIN_LIMITS && i > 0 && i < points.length - 1 &&
      points[i - 1]!.state === p.state && points[i + 1]!.state === p.state;
    dropped = quiet && !dropped;
    return !dropped;
  });
}

// Runs of points that may be joined by a line: not across a gap, nor over what was no response or
// could not be judged.
export function runs(points: Point[]): Point[][] {
  const steps = points.slice(1).map((p, i) => p.atMs - points[i]!.atMs).filter((d) => d > 0);
  steps.sort((a, b) => a - b);
  const usual = steps[Math.floor(steps.length / 2)] ?? Infinity;
  const found: Point[][] = [];
  let run: Point[] = [];
  let last: Point | undefined;
  for (const p of points) {
    const joins = p.state !== MeasurementState.NO_RESPONSE && !p.hollow &&
      p.state !== MeasurementState.NO_BASELINE;
    if (!joins || (last && p.atMs - last.atMs > GAP_FACTOR * usual)) {
      if (run.length > 0) found.push(run);
      run = [];
    }
    if (joins) run.push(p);
    last = p;
  }
  if (run.length > 0) found.push(run);
  return found;
}
