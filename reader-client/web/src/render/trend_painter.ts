// Paints the trend of one trace: amplitude in percent of the baseline over latency change, on one
// time axis, with the criterion's lines. Scales are fixed.

import type { Point, TrendLine } from '../model/trends.js';
import { runs } from '../model/trends.js';
import { MeasurementState } from '../wire/generated/remora/v1/measurement_pb.js';
import { palette, SMALL_FONT } from './palette.js';
import { line, prepare } from './surface.js';

export const AMPLITUDE_TOP_PERCENT = 150;
export const LATENCY_FROM_PERCENT = -10;
export const LATENCY_TO_PERCENT = 20;

// Lower charts have no room for the names of their two parts.
const LABELLED_PX = 88;

export interface TrendPicture {
  line: TrendLine | undefined;
  fromMs: number;
  toMs: number;
  // Criterion lines.
  amplitudeLimitPercent: number;
  latencyLimitPercent: number;
  eventsMs: number[];
}

export function paintTrend(canvas: HTMLCanvasElement, picture: TrendPicture): void {
  const surface = prepare(canvas);
  if (!surface) return;
  const { context: c, width, height } = surface;
  const colours = palette();
  const left = 30;
  const split = Math.round(height * 0.6);
  const x = (at: number) => left + ((at - picture.fromMs) / (picture.toMs - picture.fromMs)) * (width - left - 6);
  const amplitudeY = (v: number) =>
    split - 4 - (Math.min(AMPLITUDE_TOP_PERCENT, Math.max(0, v)) / AMPLITUDE_TOP_PERCENT) * (split - 10);
  const latencyY = (v: number) => {
    const part = (Math.min(LATENCY_TO_PERCENT, Math.max(LATENCY_FROM_PERCENT, v)) - LATENCY_FROM_PERCENT) /
      (LATENCY_TO_PERCENT - LATENCY_FROM_PERCENT);
    return height - 5 - part * (height - split - 12);
  };

  c.lineWidth = 1;
  c.font = SMALL_FONT;
  c.textAlign = 'right';
  const rule = (y: number, label: string, dash: number[], strong: boolean) => {
    c.strokeStyle = strong ? colours.muted : colours.grid;
    c.setLineDash(dash);
    line(c, left, Math.round(y) + 0.5, width - 4, Math.round(y) + 0.5);
    c.setLineDash([]);
    c.fillStyle = colours.muted;
    c.fillText(label, left - 4, y + 4);
  };
  rule(amplitudeY(100), '100', [], false);
  rule(amplitudeY(picture.amplitudeLimitPercent), String(picture.amplitudeLimitPercent), [4, 3], true);
  rule(amplitudeY(0), '0', [], false);
  rule(latencyY(0), '\u00b10', [], false);
  rule(latencyY(picture.latencyLimitPercent), `+${picture.latencyLimitPercent}`, [4, 3], true);
  c.textAlign = 'left';
  if (height > LABELLED_PX) {
    c.fillText('amplitude %', left + 2, 10);
    c.fillText('latency %', left + 2, split + 10);
  }
  c.strokeStyle = colours.grid;
  for (const at of picture.eventsMs) {
    if (at < picture.fromMs) continue;
    line(c, Math.round(x(at)) + 0.5, 2, Math.round(x(at)) + 0.5, height - 2);
  }

  const points = (picture.line?.points ?? []).filter((p) => p.atMs >= picture.fromMs);
  series(c, points, x, (p) => amplitudeY(p.amplitudePercent), amplitudeY(0));
  series(c, points, x, (p) => latencyY(p.latencyPercent), undefined);
}

// `missingY`: where "no response" is marked; undefined: not in this series.
function series(
  c: CanvasRenderingContext2D, points: Point[], x: (ms: number) => number, y: (p: Point) => number,
  missingY: number | undefined): void {
  const colours = palette();
  c.strokeStyle = colours.trace;
  c.lineWidth = 1.4;
  for (const run of runs(points)) {
    c.beginPath();
    for (const p of run) c.lineTo(x(p.atMs), y(p));
    c.stroke();
  }
  for (const p of points) {
    const px = x(p.atMs);
    if (p.state === MeasurementState.NO_BASELINE) continue;
    if (p.state === MeasurementState.NO_RESPONSE) {
      if (missingY === undefined) continue;
      c.strokeStyle = colours.text;
      line(c, px - 3, missingY - 3, px + 3, missingY + 3);
      line(c, px - 3, missingY + 3, px + 3, missingY - 3);
      continue;
    }
    const crossed = p.state === MeasurementState.RED || p.state === MeasurementState.AMBER;
    c.beginPath();
    c.arc(px, y(p), crossed ? 2.8 : 1.7, 0, 2 * Math.PI);
    c.fillStyle = p.hollow ? colours.panel
      : p.state === MeasurementState.RED ? colours.high
      : p.state === MeasurementState.AMBER ? colours.medium : colours.trace;
    c.fill();
    if (p.hollow) {
      c.strokeStyle = colours.muted;
      c.lineWidth = 1;
      c.stroke();
    }
  }
}

// A tile's line of the last hour: percent of baseline, with the limit at half.
export function paintSparkline(canvas: HTMLCanvasElement, percents: number[], limitPercent: number): void {
  const surface = prepare(canvas);
  if (!surface) return;
  const { context: c, width, height } = surface;
  const colours = palette();
  const y = (v: number) => height - 3 - (Math.min(AMPLITUDE_TOP_PERCENT, Math.max(0, v)) / AMPLITUDE_TOP_PERCENT) * (height - 6);
  c.strokeStyle = colours.grid;
  c.lineWidth = 1;
  line(c, 0, Math.round(y(100)) + 0.5, width, Math.round(y(100)) + 0.5);
  c.strokeStyle = colours.muted;
  c.setLineDash([3, 3]);
  line(c, 0, Math.round(y(limitPercent)) + 0.5, width, Math.round(y(limitPercent)) + 0.5);
  c.setLineDash([]);
  if (percents.length === 0) return;
  const x = (i: number) => (percents.length < 2 ? width - 4 : 3 + (i / (percents.length - 1)) * (width - 8));
  c.strokeStyle = colours.trace;
  c.lineWidth = 1.5;
  c.beginPath();
  percents.forEach((v, i) => c.lineTo(x(i), y(v)));
  c.stroke();
  c.beginPath();
  c.arc(x(percents.length - 1), y(percents[percents.length - 1]!), 2.5, 0, 2 * Math.PI);
  c.fillStyle = colours.text;
  c.fill();
}

// Samples before this are taken for the stimulus' artefact, in ms.
const AFTER_ARTEFACT_MS = 4;

// An alert's own evidence: the trace that it was raised on over the baseline's.
export function paintEvidence(
  canvas: HTMLCanvasElement, trace: Float32Array, baseline: Float32Array, firstMs: number, stepMs: number): void {
  const surface = prepare(canvas);
  if (!surface) return;
  const { context: c, width, height } = surface;
  const colours = palette();
  // One scale for both, chosen by the larger of the two: the fall is seen as it is. The stimulus'
  // artefact has no say in it.
  let most = 0;
  for (const values of [baseline, trace]) {
    values.forEach((v, i) => {
      if (firstMs + i * stepMs > AFTER_ARTEFACT_MS) most = Math.max(most, Math.abs(v));
    });
  }
  if (most === 0) return;
  const k = (height / 2 - 4) / most;
  const draw = (values: Float32Array) => {
    c.beginPath();
    values.forEach((v, i) => c.lineTo((i / Math.max(1, values.length - 1)) * width, height / 2 + v * k));
    c.stroke();
  };
  c.lineWidth = 1;
  c.strokeStyle = colours.grid;
  line(c, 0, height / 2, width, height / 2);
  c.strokeStyle = colours.baseline;
  c.setLineDash([4, 3]);
  draw(baseline);
  c.setLineDash([]);
  c.strokeStyle = colours.trace;
  c.lineWidth = 1.6;
  draw(trace);
  paintScaleBar(c, k, width, height);
}

// A scale that is fitted says what it is: a round number of microvolts, as long as it is here.
function paintScaleBar(c: CanvasRenderingContext2D, pixelsPerUv: number, width: number, height: number): void {
  const { muted } = palette();
  const uv = roundBelow((height * LONGEST_BAR) / pixelsPerUv);
  const x = width - 5;
  c.strokeStyle = muted;
  c.lineWidth = 1.4;
  line(c, x, height - 4, x, height - 4 - uv * pixelsPerUv);
  c.font = SMALL_FONT;
  c.textAlign = 'right';
  c.fillStyle = muted;
  c.fillText(`${uv} \u00b5V`, x - 5, height - 5);
}

const LONGEST_BAR = 0.45;

// The largest of 1, 2, 5 times a power of ten that is not above `most`.
export function roundBelow(most: number): number {
  const power = 10 ** Math.floor(Math.log10(most));
  const digit = most / power >= 5 ? 5 : most / power >= 2 ? 2 : 1;
  return Number((digit * power).toPrecision(1));
}
