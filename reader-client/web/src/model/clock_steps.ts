// Clocks of participants that stepped against the hub's. Each ClockEstimate says what its origin believed UTC to be, and
// which moment of the hub's time that was: where the two part company from one estimate to the next, one of the clocks
// was set. Ages and times go on by the hub's time, which is slewed and does not step (docs/time.md).

import { toHex } from '../base/bytes.js';
import { nsToMs, timeOfDay } from '../base/format.js';
import type { ClockEstimate } from '../wire/generated/remora/v1/link_pb.js';
import type { Record as CaseRecord } from '../wire/generated/remora/v1/record_pb.js';
import { idOf } from '../wire/record_id.js';
import type { Id } from '../wire/record_id.js';

// Less than this a daemon that steers the clock may do between two estimates, which are minutes apart.
const LEAST_STEP_MS = 2_000;
const MOST_STEPS = 50;

export interface ClockStep {
  id: Id;
  origin: string;
  byMs: number;
  // In the hub's time: it stepped between these.
  afterMs: number;
  beforeMs: number;
}

export class ClockSteps {
  private readonly last = new Map<string, { hubMs: number; aheadMs: number; boundMs: number }>();
  private readonly steps = new Map<Id, ClockStep>();
  private readonly names = new Map<string, string>();

  // Estimates come in the order of their origin; one that was taken already changes nothing.
  add(record: CaseRecord, estimate: ClockEstimate): void {
    const at = record.capturedAt;
    const boundMs = nsToMs(estimate.errorBoundNs);
    if (!at || at.wallUnixNs === 0n || at.bootId !== estimate.bootId || !(boundMs < LEAST_STEP_MS)) return;
    const origin = toHex(record.origin);
    const hubMs = nsToMs(at.monotonicNs + estimate.offsetNs);
    const known = this.last.get(origin);
    if (known && hubMs <= known.hubMs) return;
    const aheadMs = nsToMs(at.wallUnixNs) - hubMs;
    this.last.set(origin, { hubMs, aheadMs, boundMs });
    if (!known || Math.abs(aheadMs - known.aheadMs) < LEAST_STEP_MS + known.boundMs + boundMs) return;
    this.steps.set(idOf(record), { id: idOf(record), origin, byMs: aheadMs - known.aheadMs, afterMs: known.hubMs, beforeMs: hubMs });
    if (this.steps.size > MOST_STEPS) this.steps.delete(this.steps.keys().next().value!);
  }

  // Who writes with an origin, by what only the agent writes, or by the name that stands in it.
  learn(record: CaseRecord): void {
    const body = record.body;
    const name = body.case === 'sweep' || body.case === 'measurement' || body.case === 'sampleBlock' ? 'agent'
      : body.case === 'viewSeen' ? body.value.actor : '';
    if (name !== '') this.names.set(toHex(record.origin), name);
  }

  list(): ClockStep[] {
    return [...this.steps.values()];
  }

  // "Clock of OR 1's computer stepped by +10 min against the hub's at 10:41; times go on by the hub's."
  words(step: ClockStep, theatre: string): string {
    const name = this.names.get(step.origin);
    const whose = name === undefined ? 'A participant\u2019s clock' : `Clock of ${name === 'agent' ? theatre || 'the theatre' : name}\u2019s computer`;
    return `${whose} stepped by ${stepWords(step.byMs)} against the hub\u2019s ` +
      `between ${timeOfDay(step.afterMs)} and ${timeOfDay(step.beforeMs)}; times go on by the hub\u2019s.`;
  }
}

// "+10 min", "−1 d", "+1 h 30 min", "+4 s".
function stepWords(ms: number): string {
  let s = Math.round(Math.abs(ms) / 1000);
  const parts: string[] = [];
  for (const [unit, long] of [['d', 86_400], ['h', 3_600], ['min', 60], ['s', 1]] as const) {
    if (s >= long) parts.push(`${Math.floor(s / long)} ${unit}`);
    s %= long;
  }
  return (ms < 0 ? '\u2212' : '+') + parts.slice(0, 2).join(' ');
}
