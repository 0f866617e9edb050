// Paints one evoked trace: ghost, baseline, current, marks, all at the same gain. Negative is up.

import type { BaselineView, SweepView, Waveform } from '../model/traces.js';
import { MarkConfidence } from '../wire/generated/remora/v1/waveform_pb.js';
import type { PeakMark } from '../wire/generated/remora/v1/waveform_pb.js';
import { palette, SMALL_FONT } from './palette.js';
import { DIVISION_PX, gridMs, pixelsPerUv } from './scale.js';
import { line, prepare } from './surface.js';
import { paintUnrecorded } from './unrecorded.js';

export interface SweepPicture {
  current: SweepView | undefined;
  previous: Waveform | undefined;
  baseline: BaselineView | undefined;
  uvPerDivision: number;
  fromMs: number;
  spanMs: number;
  // Places that carry an annotation.
  annotatedMs: number[];
  cursorMs: number | undefined;
}

// Where the trace's zero lies in a pane of this height.
export const zeroY = (height: number): number => Math.round(height / 2) + 0.5;

// Counts of samples that lie beyond the pane: [above, below].
export function beyond(values: Float32Array, height: number, uvPerDivision: number): [number, number] {
  const k = pixelsPerUv(uvPerDivision);
  const zero = zeroY(height);
  let above = 0;
  let below = 0;
  for (const v of values) {
    const y = zero + v * k;
    if (y < 0) above++;
    else if (y > height) below++;
  }
  return [above, below];
}

export function paintSweep(canvas: HTMLCanvasElement, picture: SweepPicture): void {
  const surface = prepare(canvas);
  if (!surface) return;
  const { context: c, width, height } = surface;
  const colours = palette();
  const zero = zeroY(height);
  const k = pixelsPerUv(picture.uvPerDivision);
  const x = (ms: number) => ((ms - picture.fromMs) / picture.spanMs) * width;

  c.lineWidth = 1;
  c.strokeStyle = colours.grid;
  const grid = gridMs(picture.spanMs);
  c.globalAlpha = 0.55;
  for (let t = Math.ceil(picture.fromMs / grid) * grid; t <= picture.fromMs + picture.spanMs; t += grid) {
    if (t !== 0) line(c, Math.round(x(t)) + 0.5, 0, Math.round(x(t)) + 0.5, height);
  }
  for (let y = zero % DIVISION_PX; y < height; y += DIVISION_PX) {
    if (Math.abs(y - zero) < 1) continue;
    line(c, 0, y, width, y);
  }
  c.globalAlpha = 1;
  line(c, 0, zero, width, zero);
  c.strokeStyle = colours.muted;
  line(c, Math.round(x(0)) + 0.5, 0, Math.round(x(0)) + 0.5, height);

  const draw = (w: Waveform) => {
    if (w.values.length === 0) return;
    const stepMs = 1000 / w.sampleRateHz;
    c.beginPath();
    for (let i = 0; i < w.values.length; i++) {
      const px = x(w.firstSampleMs + i * stepMs);
      if (px < -20 || px > width + 20) continue;
      c.lineTo(px, zero + w.values[i]! * k);
    }
    c.stroke();
  };
  c.lineJoin = 'round';
  if (picture.previous) {
    c.globalAlpha = 0.3;
    c.strokeStyle = colours.trace;
    c.lineWidth = 1;
    draw(picture.previous);
    c.globalAlpha = 1;
  }
  if (picture.baseline) {
    c.strokeStyle = colours.baseline;
    c.lineWidth = 1.2;
    c.setLineDash([5, 4]);
    draw(picture.baseline);
    c.setLineDash([]);
  }
  const current = picture.current;
  if (current) {
    c.strokeStyle = colours.trace;
    c.lineWidth = current.sweep.provisional ? 1.3 : 1.8;
    c.globalAlpha = current.sweep.provisional ? 0.8 : 1;
    draw(current);
    c.globalAlpha = 1;
    if (current.mark.unrecorded) paintUnrecorded(c, 0, 0, width, height);
    for (const mark of current.sweep.marks) paintMark(c, mark, x, zero, k, height);
    paintBeyond(c, current, x, zero, k, height);
  }
  c.fillStyle = colours.text;
  for (const at of picture.annotatedMs) {
    const px = x(at);
    c.beginPath();
    c.moveTo(px, height - 1);
    c.lineTo(px - 4, height - 9);
    c.lineTo(px + 4, height - 9);
    c.fill();
  }
  if (picture.cursorMs !== undefined) paintCursor(c, picture, x, zero, k, width, height);
}

function paintMark(
  c: CanvasRenderingContext2D, mark: PeakMark, x: (ms: number) => number, zero: number, k: number,
  height: number): void {
  if (mark.confidence === MarkConfidence.NO_RESPONSE) return;
  const { text, background, muted } = palette();
  const px = x(mark.latencyMs);
  const peak = zero + mark.amplitudeUv * k;
  const clipped = peak < 0 || peak > height;
  const y = peak < 0 ? CLIPPED_PX : peak > height ? height - CLIPPED_PX : peak;
  const sure = mark.confidence !== MarkConfidence.UNCERTAIN;
  if (clipped) paintArrow(c, px, peak < 0, height);
  c.lineWidth = 1.4;
  c.beginPath();
  c.arc(px, Math.min(height - 3, Math.max(3, y)), 3, 0, 2 * Math.PI);
  // Hollow: not to be relied on, or not where the peak is.
  c.fillStyle = sure && !clipped ? text : background;
  c.strokeStyle = text;
  c.fill();
  c.stroke();
  c.font = SMALL_FONT;
  c.fillStyle = sure ? text : muted;
  const label = mark.label + (sure ? '' : ' ?');
  const up = mark.amplitudeUv <= 0;
  if (!clipped && (up ? y > 20 : y < height - 20)) {
    c.textAlign = 'center';
    c.fillText(label, px, up ? y - 8 : y + 17);
  } else {
    // No room beyond the peak: beside it.
    c.textAlign = 'left';
    c.fillText(label, px + 7, Math.min(height - 4, Math.max(11, y + 4)));
  }
}

// Where the mark of a peak beyond the pane stands, from the edge.
const CLIPPED_PX = 12;

// At the edge, towards what lies beyond it.
function paintArrow(c: CanvasRenderingContext2D, px: number, up: boolean, height: number): void {
  const tip = up ? 1 : height - 1;
  const foot = up ? 7 : height - 7;
  c.fillStyle = palette().text;
  c.beginPath();
  c.moveTo(px, tip);
  c.lineTo(px - 4, foot);
  c.lineTo(px + 4, foot);
  c.fill();
}

// Arrows are no nearer to each other than this.
const BEYOND_STEP_PX = 36;

// Small arrows where the trace leaves the pane: nothing is cut off unseen.
function paintBeyond(
  c: CanvasRenderingContext2D, current: SweepView, x: (ms: number) => number, zero: number, k: number,
  height: number): void {
  const stepMs = 1000 / current.sampleRateHz;
  let last = -100;
  for (let i = 0; i < current.values.length; i++) {
    const y = zero + current.values[i]! * k;
    const px = x(current.firstSampleMs + i * stepMs);
    if ((y >= 0 && y <= height) || px - last < BEYOND_STEP_PX) continue;
    last = px;
    paintArrow(c, px, y < 0, height);
  }
}

function paintCursor(
  c: CanvasRenderingContext2D, picture: SweepPicture, x: (ms: number) => number, zero: number, k: number,
  width: number, height: number): void {
  const { text, panel } = palette();
  const at = picture.cursorMs!;
  const px = Math.round(x(at)) + 0.5;
  c.strokeStyle = text;
  c.globalAlpha = 0.5;
  c.lineWidth = 1;
  line(c, px, 0, px, height);
  c.globalAlpha = 1;
  const current = picture.current;
  let label = `${at.toFixed(1)} ms`;
  if (current) {
    const i = Math.round(((at - current.firstSampleMs) * current.sampleRateHz) / 1000);
    const v = current.values[i];
    if (v !== undefined) {
      label += `  ${v.toFixed(2)} \u00b5V`;
      c.beginPath();
      c.arc(px, zero + v * k, 2.5, 0, 2 * Math.PI);
      c.fillStyle = text;
      c.fill();
    }
  }
  c.font = SMALL_FONT;
  const w = c.measureText(label).width + 10;
  const left = px + w + 6 > width ? px - w - 4 : px + 4;
  c.fillStyle = panel;
  c.fillRect(left, height - 21, w, 17);
  c.fillStyle = text;
  c.textAlign = 'left';
  c.fillText(label, left + 5, height - 9);
}
