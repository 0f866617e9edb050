// One frame of the page: first what arrived is taken, then what changed is painted, then it counts
// as shown. A hidden page gets no frames: the ticker stands in for them.

import type { Ticker } from './ticker.js';

export class FrameLoop {
  private readonly takers = new Set<() => void>();
  private readonly after = new Set<() => void>();
  private paints = new Set<() => void>();
  private asked = false;

  constructor(ticker: Ticker, private readonly hidden: () => boolean = () => document.hidden) {
    ticker.every(() => {
      if (this.asked && this.hidden()) this.run();
    });
  }

  // Called at the start of each frame.
  onTake(take: () => void): void {
    this.takers.add(take);
  }

  // Called at the end of each frame.
  onShown(shown: () => void): void {
    this.after.add(shown);
  }

  // Paints once with the next frame, however often it is asked for.
  paint(call: () => void): void {
    this.paints.add(call);
    this.wake();
  }

  forget(call: () => void): void {
    this.paints.delete(call);
  }

  wake(): void {
    if (this.asked) return;
    this.asked = true;
    if (!this.hidden()) requestAnimationFrame(() => this.run());
  }

  // The page can be seen again: frames that were asked for while it was hidden are due.
  resume(): void {
    if (this.asked) requestAnimationFrame(() => this.run());
  }

  private run(): void {
    if (!this.asked) return;
    this.asked = false;
    for (const take of this.takers) take();
    const due = this.paints;
    this.paints = new Set();
    for (const paint of due) paint();
    for (const shown of this.after) shown();
  }
}
