// Gain and timebase: steps that a person chooses. Nothing here looks at the data.

// One division on the screen, in CSS pixels.
export const DIVISION_PX = 24;

const steps = (decades: number[]): number[] => decades.flatMap((d) => [1, 2, 5].map((n) => n * d));
// From wave V of a BAEP to a whole twitch.
export const EVOKED_GAINS_UV = [0.02, 0.05, ...steps([0.1, 1, 10, 100, 1000])];
export const EMG_GAINS_UV = steps([10, 100, 1000]);
// What a pane shows across, in ms.
export const EVOKED_SPANS_MS = [10, 15, 20, 30, 50, 60, 100, 150, 200, 300];
export const EMG_SPANS_MS = [1_000, 2_000, 5_000, 10_000, 20_000, 60_000];

// The step above or below; stays at the ends.
export function step(list: number[], current: number, by: 1 | -1): number {
  const at = list.findIndex((v) => v >= current);
  const next = Math.min(list.length - 1, Math.max(0, (at < 0 ? list.length - 1 : at) + by));
  return list[next]!;
}

export const pixelsPerUv = (uvPerDivision: number): number => DIVISION_PX / uvPerDivision;

// A round number of ms for a time grid with 5 to 12 lines.
export function gridMs(spanMs: number): number {
  for (const g of [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000]) {
    if (spanMs / g <= 12) return g;
  }
  return spanMs / 10;
}
