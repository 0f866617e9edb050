// A tick that a hidden tab does not slow down: it comes from a worker. Where workers are not
// allowed it falls back to a timer of the page.

export type Stop = () => void;

export interface Ticker {
  // Calls `onTick` about each `TICK_MS` until stopped.
  every(onTick: () => void): Stop;
}

export const TICK_MS = 250;

export class WorkerTicker implements Ticker {
  private readonly listeners = new Set<() => void>();

  constructor() {
    const tick = () => this.listeners.forEach((call) => call());
    try {
      const worker = new Worker(new URL('./ticker.worker.ts', import.meta.url), { type: 'module' });
      worker.onmessage = tick;
      worker.onerror = () => {
        worker.terminate();
        setInterval(tick, TICK_MS);
      };
    } catch {
      setInterval(tick, TICK_MS);
    }
  }

  every(onTick: () => void): Stop {
    this.listeners.add(onTick);
    return () => this.listeners.delete(onTick);
  }
}

export class FakeTicker implements Ticker {
  private readonly listeners = new Set<() => void>();
  every(onTick: () => void): Stop {
    this.listeners.add(onTick);
    return () => this.listeners.delete(onTick);
  }
  tick(): void {
    this.listeners.forEach((call) => call());
  }
}
