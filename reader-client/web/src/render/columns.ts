// Smallest and largest sample of each pixel column of a sweep that runs from left to right and
// starts over. Adding a block touches only the columns that it covers.

import type { Block } from '../model/emg.js';

export class Columns {
  readonly low: Float32Array;
  readonly high: Float32Array;
  // Which column of time each slot holds; older ones are not shown.
  private readonly owner: Float64Array;
  // Columns that only an envelope has filled so far.
  private readonly coarse: Uint8Array;
  // The newest block that was taken, by its serial: late ones lie behind others in time.
  private lastSerial = 0;

  constructor(readonly count: number, readonly spanMs: number) {
    this.low = new Float32Array(count).fill(NaN);
    this.high = new Float32Array(count).fill(NaN);
    this.owner = new Float64Array(count).fill(-1);
    this.coarse = new Uint8Array(count);
  }

  get msPerColumn(): number {
    return this.spanMs / this.count;
  }

  // Takes the blocks that came since the last call.
  update(blocks: Block[]): void {
    let newest = this.lastSerial;
    for (const block of blocks) {
      if (block.serial <= this.lastSerial) continue;
      newest = Math.max(newest, block.serial);
      this.add(block);
    }
    this.lastSerial = newest;
  }

  add(block: Block): void {
    const { values, stepMs, fromMs } = block;
    const coarse = block.coarse ? 1 : 0;
    for (let i = 0; i < values.length; i++) {
      const column = Math.floor((fromMs + i * stepMs) / this.msPerColumn);
      const slot = ((column % this.count) + this.count) % this.count;
      const v = values[i]!;
      if (this.owner[slot]! > column) continue;
      const held = this.owner[slot] === column;
      if (held && coarse > this.coarse[slot]!) continue;
      if (!held || coarse < this.coarse[slot]!) {
        this.owner[slot] = column;
        this.coarse[slot] = coarse;
        this.low[slot] = this.high[slot] = v;
      } else {
        if (v < this.low[slot]!) this.low[slot] = v;
        if (v > this.high[slot]!) this.high[slot] = v;
      }
    }
  }

  slotOf(ms: number): number {
    const column = Math.floor(ms / this.msPerColumn);
    return ((column % this.count) + this.count) % this.count;
  }

  // Whether the slot holds a column of the sweep that ends at `headMs`.
  holds(slot: number, headMs: number): boolean {
    const owner = this.owner[slot]!;
    const head = Math.floor(headMs / this.msPerColumn);
    return owner >= 0 && owner <= head && head - owner < this.count;
  }
}
