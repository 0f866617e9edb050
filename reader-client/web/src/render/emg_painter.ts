// Paints the muscles of one side: a sweep from left to right, minimum to maximum of each pixel.

import { standsBeside } from '../model/emg.js';
import type { ActivityView, EmgChannel } from '../model/emg.js';
import { EmgActivityKind, TrainPattern } from '../wire/generated/remora/v1/measurement_pb.js';
import type { EmgActivity } from '../wire/generated/remora/v1/measurement_pb.js';
import { activityWord } from '../model/words.js';
import { Columns } from './columns.js';
import { palette, SMALL_FONT } from './palette.js';
import { DIVISION_PX, pixelsPerUv } from './scale.js';
import { line, prepare } from './surface.js';
import { paintUnrecorded } from './unrecorded.js';

// Columns left empty ahead of the pen, so that now and a sweep ago do not touch.
const PEN_GAP_PX = 14;
// A line and its label above a muscle's trace.
const LABEL_PX = 18;
const ROOM_FOR_TWO_PX = 60;

function sizeOf(a: EmgActivity): string {
  const seconds = `${(a.durationMs / 1000).toFixed(1)} s`;
  switch (a.kind) {
    case EmgActivityKind.ARTEFACT: return a.reason;
    case EmgActivityKind.TRAIN:
      return a.trainPattern === TrainPattern.A ? `${seconds}, ${(a.trainTimeMs / 1000).toFixed(1)} s in all` : seconds;
    case EmgActivityKind.SILENCE: return seconds;
    default: return `${a.peakUv.toFixed(0)} \u00b5V`;
  }
}

export class EmgPainter {
  private readonly columns = new Map<string, { boot: string; columns: Columns }>();
  private headMs = 0;

  // While held, what is shown stays as it is.
  paint(
    canvas: HTMLCanvasElement, channels: EmgChannel[], activities: (c: EmgChannel) => ActivityView[],
    uvPerDivision: number, spanMs: number, held: boolean): void {
    const surface = prepare(canvas);
    if (!surface || channels.length === 0) return;
    const { context: c, width, height } = surface;
    const colours = palette();
    const count = Math.floor(width);
    if (!held) this.headMs = Math.max(...channels.map((ch) => ch.headMs));
    const k = pixelsPerUv(uvPerDivision);
    const rowHeight = height / channels.length;
    channels.forEach((channel, row) => {
      const zero = Math.round((row + 0.5) * rowHeight) + 0.5;
      c.strokeStyle = colours.grid;
      c.lineWidth = 1;
      line(c, 0, zero, width, zero);
      if (row > 0) {
        c.globalAlpha = 0.5;
        line(c, 0, Math.round(row * rowHeight) + 0.5, width, Math.round(row * rowHeight) + 0.5);
        c.globalAlpha = 1;
      }
      const columns = this.columnsOf(channel, count, spanMs, held);
      this.trace(c, columns, zero, k, rowHeight);
      this.unrecorded(c, columns, channel, row * rowHeight, rowHeight);
      this.marks(c, columns, activities(channel), row * rowHeight, rowHeight);
    });
    const pen = this.penX(count, spanMs);
    c.strokeStyle = colours.muted;
    line(c, pen + 0.5, 0, pen + 0.5, height);
  }

  private penX(count: number, spanMs: number): number {
    return Math.floor((((this.headMs % spanMs) + spanMs) % spanMs) / spanMs * count);
  }

  private columnsOf(channel: EmgChannel, count: number, spanMs: number, held: boolean): Columns {
    const known = this.columns.get(channel.traceId);
    let columns = known?.columns;
    // Times of different boots do not compare.
    const fits = known && columns && (held || known.boot === channel.boot) && columns.count === count && columns.spanMs === spanMs;
    if (!fits || !columns) {
      columns = new Columns(count, spanMs);
      this.columns.set(channel.traceId, { boot: channel.boot, columns });
      columns.update(held ? channel.blocks.filter((b) => b.fromMs <= this.headMs) : channel.blocks);
    } else if (!held) {
      columns.update(channel.blocks);
    }
    return columns;
  }

  private trace(
    c: CanvasRenderingContext2D, columns: Columns, zero: number, k: number, rowHeight: number): void {
    const colours = palette();
    const pen = columns.slotOf(this.headMs);
    const most = rowHeight * 0.75;
    c.strokeStyle = colours.trace;
    c.lineWidth = 1;
    c.beginPath();
    const clipped: [number, number][] = [];
    for (let slot = 0; slot < columns.count; slot++) {
      const ahead = (slot - pen + columns.count) % columns.count;
      if ((ahead > 0 && ahead < PEN_GAP_PX) || !columns.holds(slot, this.headMs)) continue;
      let top = zero + columns.low[slot]! * k;
      let bottom = zero + columns.high[slot]! * k;
      if (top < zero - most || bottom > zero + most) clipped.push([slot, top < zero - most ? -1 : 1]);
      top = Math.max(zero - most, top);
      bottom = Math.min(zero + most, bottom);
      c.moveTo(slot + 0.5, top - 0.4);
      c.lineTo(slot + 0.5, bottom + 0.4);
    }
    c.globalAlpha = 0.85;
    c.stroke();
    c.globalAlpha = 1;
    c.fillStyle = colours.text;
    for (const [slot, way] of clipped) c.fillRect(slot, way < 0 ? zero - most - 2 : zero + most, 1, 2);
  }

  // Over the samples that are shown and not on record.
  private unrecorded(c: CanvasRenderingContext2D, columns: Columns, channel: EmgChannel, top: number, rowHeight: number): void {
    let run: { from: number; to: number } | undefined;
    const end = () => {
      if (run) paintUnrecorded(c, run.from, top + 1, Math.max(2, run.to - run.from), rowHeight - 2, false);
      run = undefined;
    };
    for (const block of channel.blocks) {
      if (!block.unrecorded || block.fromMs <= this.headMs - columns.spanMs || block.fromMs > this.headMs) continue;
      const from = columns.slotOf(block.fromMs);
      const to = Math.min(columns.count, from + (block.values.length * block.stepMs) / columns.msPerColumn);
      if (run && (from < run.from || from > run.to + 3)) end();
      run = { from: run?.from ?? from, to };
    }
    end();
  }

  private marks(
    c: CanvasRenderingContext2D, columns: Columns, activities: ActivityView[], top: number,
    rowHeight: number): void {
    const { text, muted, panel } = palette();
    c.font = SMALL_FONT;
    c.textAlign = 'left';
    for (const { activity, fromMs, toMs } of activities) {
      if (fromMs <= this.headMs - columns.spanMs || fromMs > this.headMs) continue;
      const x0 = columns.slotOf(fromMs);
      // What stands beside the discharges of the same time has a line of its own, where there is room.
      const down = standsBeside(activity) && rowHeight >= ROOM_FOR_TWO_PX ? LABEL_PX : 0;
      const length = Math.max(3, (Math.min(toMs, this.headMs) - fromMs) / columns.msPerColumn);
      const x1 = Math.min(columns.count, x0 + length);
      c.strokeStyle = activity.kind === EmgActivityKind.ARTEFACT ? muted : text;
      c.lineWidth = 2;
      line(c, x0, top + 5 + down, x1, top + 5 + down);
      const label = `${activityWord(activity)} ${sizeOf(activity)}`;
      const w = c.measureText(label).width;
      const left = Math.min(x0, columns.count - w - 4);
      c.fillStyle = panel;
      c.globalAlpha = 0.8;
      c.fillRect(left - 2, top + 8 + down, w + 4, 13);
      c.globalAlpha = 1;
      c.fillStyle = activity.kind === EmgActivityKind.ARTEFACT ? muted : text;
      c.fillText(label, left, top + down + Math.min(18, rowHeight - 2));
    }
  }
}

export const emgScaleBarPx = DIVISION_PX;
