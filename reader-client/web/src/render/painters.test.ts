import { create } from '@bufbuild/protobuf';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { CaseScreen } from '../model/case_screen.js';
import { beforeMs } from '../model/pane_setting.js';
import type { BaselineView, SweepView } from '../model/traces.js';
import { MarkConfidence, Modality, SweepSchema } from '../wire/generated/remora/v1/waveform_pb.js';
import { DIVISION_PX, EVOKED_GAINS_UV, EVOKED_SPANS_MS } from './scale.js';
import { beyond, paintSweep } from './sweep_painter.js';
import { paintEvidence } from './trend_painter.js';

// Remembers what is drawn on it: each path with its points and whether it was filled or stroked.
interface Path {
  points: [number, number][];
  done: 'stroke' | 'fill';
  colour: string;
  dashed: boolean;
}

class RecordingCanvas {
  readonly paths: Path[] = [];
  readonly texts: string[] = [];
  readonly circles: { y: number; filled: string }[] = [];
  width = 0;
  height = 0;
  constructor(readonly clientWidth: number, readonly clientHeight: number) {}

  getContext(): unknown {
    let points: [number, number][] = [];
    let dashed = false;
    const known: Record<string, unknown> = {
      beginPath: () => (points = []),
      moveTo: (x: number, y: number) => points.push([x, y]),
      lineTo: (x: number, y: number) => points.push([x, y]),
      arc: (_x: number, y: number) => this.circles.push({ y, filled: String(state.fillStyle) }),
      setLineDash: (d: number[]) => (dashed = d.length > 0),
      stroke: () => this.paths.push({ points, done: 'stroke', colour: String(state.strokeStyle), dashed }),
      fill: () => {
        const circle = this.circles[this.circles.length - 1];
        if (circle) circle.filled = String(state.fillStyle);
        if (points.length > 0) this.paths.push({ points, done: 'fill', colour: String(state.fillStyle), dashed });
      },
      fillText: (text: string) => this.texts.push(text),
      measureText: () => ({ width: 40 }),
    };
    const state: Record<string, unknown> = {};
    return new Proxy(state, {
      get: (target, name: string) => known[name] ?? target[name] ?? (() => {}),
      set: (target, name: string, value) => ((target[name] = value), true),
    });
  }

  // Height of what was drawn in a colour, over its longest path.
  heightOf(colour: string): number {
    const path = this.paths.filter((p) => p.done === 'stroke' && p.colour === colour)
      .sort((a, b) => b.points.length - a.points.length)[0]!;
    const ys = path.points.map(([, y]) => y);
    return Math.max(...ys) - Math.min(...ys);
  }
}

const canvas = (height: number) => {
  const made = new RecordingCanvas(400, height);
  return { made, element: made as unknown as HTMLCanvasElement };
};

beforeAll(() => {
  vi.stubGlobal('window', { devicePixelRatio: 1 });
  vi.stubGlobal('document', { documentElement: {} });
  vi.stubGlobal('getComputedStyle', () => ({ getPropertyValue: (name: string) => name }));
});

const response = (uv: number) => Float32Array.from({ length: 120 }, (_, i) =>
  (i === 60 ? -uv / 2 : i === 70 ? uv / 2 : 0));
const waveform = (uv: number) => ({ values: response(uv), firstSampleMs: 0, sampleRateHz: 2000 });
const mark = { id: 'x', seq: 1n, atMs: 1, unrecorded: false, pending: false };
const sweep = (uv: number, marks: { latencyMs: number; amplitudeUv: number }[] = []): SweepView => ({
  ...waveform(uv), mark, stimulusMs: 1,
  sweep: create(SweepSchema, { marks: marks.map((m) => ({ ...m, label: 'N20', confidence: MarkConfidence.CLEAR })) }) });
const baseline = (uv: number) => ({ ...waveform(uv), mark, baseline: {} }) as unknown as BaselineView;

function paint(now: SweepView, uvPerDivision: number, height = 86) {
  const { made, element } = canvas(height);
  paintSweep(element, {
    current: now, previous: undefined, baseline: baseline(4), uvPerDivision, fromMs: -5, spanMs: 60,
    annotatedMs: [], cursorMs: undefined,
  });
  return made;
}

describe('A trace that fell by 80 %', () => {
  it('LooksEightyPercentSmallerThanItsBaselineAtEveryGain', () => {
    for (const gain of [0.5, 1, 2, 5, 10]) {
      const drawn = paint(sweep(0.8), gain);
      expect(drawn.heightOf('--baseline')).toBeCloseTo((4 / gain) * DIVISION_PX);
      expect(drawn.heightOf('--trace') / drawn.heightOf('--baseline')).toBeCloseTo(0.2);
    }
  });
  it('LooksSoInTheEvidenceOfAnAlertToo', () => {
    const { made, element } = canvas(84);
    paintEvidence(element, response(0.8), response(4), 0, 0.5);
    expect(made.heightOf('--trace') / made.heightOf('--baseline')).toBeCloseTo(0.2);
  });
});

describe('The first gain', () => {
  it('LeavesRoomForAnN20P25OfSevenMicrovolts', () => {
    const { uvPerDivision } = new CaseScreen('aa').setting(Modality.SEP_UPPER);
    expect(beyond(response(7), 86, uvPerDivision)).toEqual([0, 0]);
  });
  // Peak to peak in uV, and where the response ends in ms.
  const usual: [Modality, number, number][] = [
    [Modality.MEP_TRANSCRANIAL, 800, 80], [Modality.MEP_DIRECT_CORTICAL, 800, 80], [Modality.MAP_SUBCORTICAL, 800, 80],
    [Modality.PEDICLE_SCREW, 500, 40], [Modality.EMG_TRIGGERED, 500, 40], [Modality.DIRECT_NERVE_STIMULATION, 500, 40],
    [Modality.RLN_CONTINUOUS, 700, 15], [Modality.RLN_INTERMITTENT, 700, 15], [Modality.TRAIN_OF_FOUR, 5000, 40],
    [Modality.D_WAVE, 20, 12], [Modality.BAEP, 0.5, 10], [Modality.VEP, 10, 150], [Modality.SEP_LOWER, 5, 60],
  ];
  it('ShowsAUsualResponseOfEachModalityWholeAndLargeEnoughToJudge', () => {
    for (const [modality, uv, endMs] of usual) {
      const { uvPerDivision, spanMs } = new CaseScreen('aa').setting(modality);
      const name = `${Modality[modality]}`;
      expect(beyond(response(uv), 86, uvPerDivision), name).toEqual([0, 0]);
      expect((uv / uvPerDivision) * DIVISION_PX, name).toBeGreaterThan(30);
      expect(spanMs - beforeMs(spanMs), name).toBeGreaterThan(endMs);
      expect(spanMs, name).toBeLessThanOrEqual(5 * endMs);
    }
  });
  it('IsAStepThatTheKeysCanReach', () => {
    for (const m of Object.values(Modality)) {
      if (typeof m !== 'number' || m === Modality.EMG_FREE_RUNNING) continue;
      const { uvPerDivision, spanMs } = new CaseScreen('aa').setting(m);
      expect(EVOKED_GAINS_UV, Modality[m]).toContain(uvPerDivision);
      expect(EVOKED_SPANS_MS, Modality[m]).toContain(spanMs);
    }
  });
});

describe('Evidence', () => {
  it('HasAScaleBarWhoseLengthIsWhatItSays', () => {
    for (const uv of [0.3, 1.7, 4, 26, 900]) {
      const { made, element } = canvas(84);
      paintEvidence(element, response(uv / 2), response(uv), 0, 0.5);
      const words = made.texts.find((t) => t.includes('\u00b5V'))!;
      const bar = made.paths.find((p) => p.points.length === 2 && p.points[0]![0] === p.points[1]![0])!;
      const pixels = Math.abs(bar.points[0]![1] - bar.points[1]![1]);
      expect(pixels / parseFloat(words)).toBeCloseTo(made.heightOf('--baseline') / uv);
      expect(pixels).toBeGreaterThan(8);
      expect(pixels).toBeLessThan(84 / 2);
    }
  });
});

describe('A mark', () => {
  it('IsFilledWhereItsPeakIs', () => {
    const drawn = paint(sweep(2, [{ latencyMs: 30, amplitudeUv: -1 }]), 2);
    expect(drawn.circles).toEqual([{ y: 43.5 - DIVISION_PX / 2, filled: '--text' }]);
  });
  it('IsHollowWithAnArrowAtTheEdgeWhereItsPeakIsCutOff', () => {
    const drawn = paint(sweep(2, [{ latencyMs: 30, amplitudeUv: -40 }]), 2);
    expect(drawn.circles).toHaveLength(1);
    expect(drawn.circles[0]!.filled).toBe('--background');
    expect(drawn.circles[0]!.y).toBeLessThan(14);
    const arrow = drawn.paths.find((p) => p.done === 'fill' && p.points.length === 3)!;
    expect(Math.min(...arrow.points.map(([, y]) => y))).toBeLessThan(2);
  });
});
