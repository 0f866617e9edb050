// The clocks of this page. Everything else takes a `Clock`, so that a test can turn the hands.

export interface Clock {
  // Monotonic milliseconds since the page was loaded. Goes on while the tab sleeps, but may stand
  // still while the machine does.
  now(): number;
  // What this machine believes UTC to be, in ms since 1970: for the record, and to notice a sleep.
  // Not derived from now(), or it would stand still with it.
  wall(): number;
}

export const pageClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
};

export class FakeClock implements Clock {
  constructor(private ms = 0, private epoch = 1_700_000_000_000) {}
  now(): number {
    return this.ms;
  }
  wall(): number {
    return this.epoch + this.ms;
  }
  advance(ms: number): void {
    this.ms += ms;
  }
  // The machine sleeps: the wall clock alone goes on.
  sleep(ms: number): void {
    this.epoch += ms;
  }
}
