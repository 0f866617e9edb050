// Whether somebody is at this page: when a pointer, a key or the window's focus last said so.

import type { Clock } from './clock.js';

const SIGNS = ['pointermove', 'pointerdown', 'keydown', 'wheel', 'touchstart', 'focus'];

export class Presence {
  private lastMs = -Infinity;

  constructor(private readonly clock: Clock, target: Pick<EventTarget, 'addEventListener'>) {
    for (const sign of SIGNS) {
      target.addEventListener(sign, (event) => {
        if (isByAPerson(event, target)) this.lastMs = this.clock.now();
      }, { passive: true, capture: true });
    }
  }

  within(ms: number): boolean {
    return this.clock.now() - this.lastMs < ms;
  }
}

// A page focuses its fields by itself, and a browser sends moves of a pointer that lies still.
function isByAPerson(event: Event, target: unknown): boolean {
  if (event.type === 'focus') return event.target === target;
  const { movementX, movementY } = event as PointerEvent;
  return event.type !== 'pointermove' || movementX !== 0 || movementY !== 0;
}
