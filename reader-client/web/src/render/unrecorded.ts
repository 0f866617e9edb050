// The mark of what is shown and not on record: hatched, outlined, and in words. No colour of its own:
// colour is for alarm.

import { palette, SMALL_FONT } from './palette.js';
import { line } from './surface.js';

const STEP_PX = 14;
export const NOT_RECORDED = 'NOT RECORDED';

export function paintUnrecorded(
  c: CanvasRenderingContext2D, left: number, top: number, width: number, height: number, words = true): void {
  const { text, panel } = palette();
  c.save();
  c.beginPath();
  c.rect(left, top, width, height);
  c.clip();
  c.strokeStyle = text;
  c.lineWidth = 1;
  c.globalAlpha = 0.22;
  for (let x = left - height; x < left + width; x += STEP_PX) line(c, x, top + height, x + height, top);
  c.globalAlpha = 0.9;
  c.setLineDash([6, 4]);
  c.strokeRect(left + 1, top + 1, width - 2, height - 2);
  c.setLineDash([]);
  if (words) {
    c.font = `700 ${SMALL_FONT}`;
    c.textAlign = 'right';
    const w = c.measureText(NOT_RECORDED).width + 12;
    c.globalAlpha = 1;
    c.fillStyle = panel;
    c.fillRect(left + width - w - 4, top + 4, w, 16);
    c.fillStyle = text;
    c.fillText(NOT_RECORDED, left + width - 10, top + 16);
  }
  c.restore();
}
