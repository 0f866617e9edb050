// The three ages of a case, never merged (docs/freshness.md): of the link, of acquisition (does what
// should run still run?), of the responses (how long ago did the trial that is shown end, and is the
// next one due?). All in the hub's time but for the link's.

import { shortAge, stopwatch } from '../base/format.js';
import { Phase } from '../wire/generated/remora/v1/case_pb.js';
import { Modality } from '../wire/generated/remora/v1/waveform_pb.js';
import type { Side, Sweep } from '../wire/generated/remora/v1/waveform_pb.js';
import type { CaseModel } from './case_model.js';
import { stalest } from './emg.js';
import type { Freshness } from './freshness.js';
import type { Trace } from './traces.js';
import { modalityName, sided, sideWord } from './words.js';

// A stimulus is told with the running average, each second. It has stopped when three in a row did
// not come, and so much more has passed.
const MISSING_STIMULI = 3;
const TOLD_AFTER_MS = 3_000;

// Where a response is awaited again after these: SEP and TOF all the time, MEP while there is a risk.
const MINUTE_MS = 60_000;
export const RISK_PHASES: ReadonlySet<Phase> = new Set([
  Phase.INSTRUMENTATION, Phase.NEURAL_MANIPULATION, Phase.CORRECTION, Phase.RESECTION, Phase.CLAMP, Phase.DECOMPRESSION]);
const DUE_MS: Partial<Record<Modality, number>> = {
  [Modality.SEP_UPPER]: 3 * MINUTE_MS, [Modality.SEP_LOWER]: 3 * MINUTE_MS,
  [Modality.SEP_DERMATOMAL]: 3 * MINUTE_MS, [Modality.TRAIN_OF_FOUR]: 15 * MINUTE_MS,
};
const DUE_AT_RISK_MS: Partial<Record<Modality, number>> = {
  [Modality.MEP_TRANSCRANIAL]: 10 * MINUTE_MS, [Modality.MEP_DIRECT_CORTICAL]: 10 * MINUTE_MS, [Modality.D_WAVE]: 10 * MINUTE_MS,
};

export const dueMs = (modality: Modality, phase: Phase): number | undefined =>
  DUE_MS[modality] ?? (RISK_PHASES.has(phase) ? DUE_AT_RISK_MS[modality] : undefined);

export interface Acquisition {
  modality: Modality;
  what: 'stimulation' | 'samples';
  // Since the last stimulus or sample.
  ageMs: number;
  stopped: boolean;
  // Which muscle, where samples stopped; which side and site, where a modality has several.
  where: string;
}

// Of a trace whose stimuli come at a rate of their own; one without a rate is stimulated by hand.
export function stimulationOf(trace: Trace, nowMs: number): { ageMs: number; stopped: boolean } | undefined {
  const newest = trace.current;
  const rateHz = newest?.sweep.stimulus?.rateHz ?? 0;
  if (!newest || !(rateHz > 0)) return undefined;
  const ageMs = nowMs - newest.stimulusMs;
  return { ageMs, stopped: ageMs > (1000 * MISSING_STIMULI) / rateHz + TOLD_AFTER_MS };
}

// What is stimulated: several derivations answer to one nerve of one side, and no side speaks for another.
interface Stimulated {
  key: string;
  side: Side;
  site: string;
}

function stimulatedBy(trace: Trace, sweep: Sweep): Stimulated {
  const side = sweep.stimulus?.side || trace.side;
  const site = sweep.stimulus?.site ?? '';
  return { key: `${trace.modality}/${side}/${site}`, side, site };
}

// Where there are several of a modality, each is named; sites only where one side has several.
function nameWhere<T extends { modality: Modality; where: string; of: Stimulated }>(all: T[]): Omit<T, 'of'>[] {
  return all.map(({ of, ...one }) => {
    const others = all.filter((o) => o.modality === one.modality && o.of.key !== of.key);
    const site = others.some((o) => o.of.side === of.side) ? of.site : '';
    return { ...one, where: others.length === 0 ? '' : [sideWord(of.side), site].filter((w) => w !== '').join(' ') };
  });
}

// By what is stimulated: of several traces the one that was stimulated last.
export function acquisitions(model: CaseModel, nowMs: number): Acquisition[] {
  const found = new Map<string, Acquisition & { of: Stimulated }>();
  for (const trace of model.traces.list()) {
    const stimulation = stimulationOf(trace, nowMs);
    if (!stimulation) continue;
    const of = stimulatedBy(trace, trace.current!.sweep);
    const known = found.get(of.key);
    if (known && known.ageMs <= stimulation.ageMs) continue;
    found.set(of.key, { modality: trace.modality, what: 'stimulation', where: '', of, ...stimulation });
  }
  const all: Acquisition[] = nameWhere([...found.values()]);
  const worst = stalest(model.emg.list(), nowMs);
  if (worst) {
    all.push({
      modality: Modality.EMG_FREE_RUNNING, what: 'samples', ageMs: worst.ageMs, stopped: worst.state !== 'live',
      where: sided(worst.channel.derivation, worst.channel.side),
    });
  }
  return all;
}

// Whether this page would see it, if stimuli and samples came: else all that it knows is the last of them.
export const wouldSee = (fresh: Freshness, model: CaseModel): boolean => fresh.kind === 'live' && !model.leftOut.slowLink.value && !model.leftOut.lighter.value;

// What a header says of acquisition: what stopped first, for longest first; else how old the newest is.
// `sure`: see wouldSee.
export function acquisitionWords(all: Acquisition[], sure = true): { words: string | undefined; ageMs: number } {
  const stopped = all.filter((a) => a.stopped).sort((a, b) => b.ageMs - a.ageMs)[0];
  const ageMs = Math.min(...all.map((a) => a.ageMs));
  if (!stopped) return { words: undefined, ageMs: all.length > 0 ? ageMs : NaN };
  const stimulated = stopped.what === 'stimulation';
  const stimulus = [modalityName(stopped.modality), stopped.where].filter((w) => w !== '').join(' ');
  const since = stopwatch(stopped.ageMs);
  if (!sure) {
    return { words: `last ${stimulated ? `${stimulus} stimulus` : `samples of ${stopped.where}`} ${since} ago`, ageMs: stopped.ageMs };
  }
  return { words: `${stimulated ? `${stimulus} stimulation` : `samples of ${stopped.where}`} stopped ${since}`, ageMs: stopped.ageMs };
}

export interface Response {
  modality: Modality;
  // Which side and site, where the modality has several.
  where: string;
  // Since the trial that is shown ended.
  ageMs: number;
  dueMs: number | undefined;
  overdue: boolean;
}

// By what is stimulated: the newest finished trial.
export function responses(model: CaseModel, phase: Phase, nowMs: number): Response[] {
  const found = new Map<string, Response & { of: Stimulated }>();
  for (const trace of model.traces.list()) {
    const last = trace.finished[trace.finished.length - 1];
    if (!last) continue;
    const of = stimulatedBy(trace, last.sweep);
    const ageMs = nowMs - last.stimulusMs;
    const known = found.get(of.key);
    if (known && known.ageMs <= ageMs) continue;
    const due = dueMs(trace.modality, phase);
    found.set(of.key, { modality: trace.modality, where: '', of, ageMs, dueMs: due, overdue: due !== undefined && ageMs > due });
  }
  return nameWhere([...found.values()]);
}

export const oldest = (all: Response[]): Response | undefined => [...all].sort((a, b) => b.ageMs - a.ageMs)[0];

// Overdue before all others, then the oldest of those that are awaited.
export function responseWords(all: Response[]): { words: string; overdue: boolean } | undefined {
  const first = [...all].sort((a, b) => Number(b.overdue) - Number(a.overdue) ||
    Number(b.dueMs !== undefined) - Number(a.dueMs !== undefined) || b.ageMs - a.ageMs)[0];
  if (!first) return undefined;
  return {
    overdue: first.overdue,
    words: `${[modalityName(first.modality), first.where].filter((w) => w !== '').join(' ')} ${stopwatch(first.ageMs)} ago` +
      (first.overdue ? `, due each ${shortAge(first.dueMs!)}` : ''),
  };
}
