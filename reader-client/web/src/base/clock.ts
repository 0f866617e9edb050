// The clocks of this page. Everything else takes a `Clock`, so that a test can turn the hands.

export interface Clock {
  // Monotonic milliseconds since the page was loaded. Goes on while the tab sleeps.
  now(): number;
  // What this machine believes UTC to be, in ms since 1970. For the record only.
  wall(): number;
}

export const pageClock: Clock = {
  now: () => performance.now(),
  wall: () => performance.timeOrigin + performance.now(),
};

export class FakeClock implements Clock {
  constructor(private ms = 0, private readonly epoch = 1_700_000_000_000) {}
  now(): number {
    return this.ms;
  }
  wall(): number {
    return this.epoch + this.ms;
  }
  advance(ms: number): void {
    this.ms += ms;
  }
}
