// Words built from records: what an alert says, what it becomes as a message to the theatre.

import { microvolts, ms, percentChange, shortAge, timeOfDay } from '../base/format.js';
import { AlertCondition, AlertKind } from '../wire/generated/remora/v1/alert_pb.js';
import { MeasurementState } from '../wire/generated/remora/v1/measurement_pb.js';
import { Modality, Side } from '../wire/generated/remora/v1/waveform_pb.js';
import type { AlertView } from './alerts.js';
import { isActive } from './alerts.js';
import type { CaseModel } from './case_model.js';
import { stalest } from './emg.js';
import { modalityName, sided, sideWord } from './words.js';

// "N20-P25 -64 %, +7 % latency (2.10 uV of 5.80 uV; 21.5 ms of 20.1 ms)": value, unit, change, against what.
export function evidenceWords(a: AlertView): string {
  const e = a.alert.evidence;
  if (!e) return '';
  if (a.alert.kind === AlertKind.TRAIN) {
    return e.durationMs > 0 ? `lasted ${(e.durationMs / 1000).toFixed(1)} s` : '';
  }
  if (!(e.baselineAmplitudeUv > 0)) return '';
  const fall = e.amplitudePercentOfBaseline - 100;
  return `${e.component} ${microvolts(e.amplitudeUv)} (${percentChange(fall)} of ${microvolts(e.baselineAmplitudeUv)}), ` +
    `${ms(e.latencyMs)} (${percentChange(e.latencyChangePercent)} of ${ms(e.baselineLatencyMs)})`;
}

export function limitWords(a: AlertView): string {
  const c = a.alert.criterion;
  if (!c) return '';
  return `limit ${c.limits}${c.source ? ` \u00b7 ${c.source}` : ''}`;
}

export function conditionWord(a: AlertView): string {
  return a.alert.condition === AlertCondition.RECOVERED ? 'back within limits' : 'condition present';
}

// What "Tell team" writes. Room and side are in it.
export function alertMessage(theatre: string, a: AlertView): string {
  const side = sideWord(a.alert.side);
  const what = a.alert.summary || `${modalityName(a.alert.modality)} ${a.alert.derivation}`;
  const since = timeOfDay(a.called.atMs);
  const now = isActive(a) ? '' : ' Now back within limits.';
  return `${theatre}${side ? `, ${side}` : ''}: ${what}, since ${since}.${now} Please tell me what was done just before.`;
}

// One line that tells how the case stands.
// `over`: the case is, and no sample of it is awaited.
export function caseSentence(model: CaseModel, hubNowMs: number, over = false): string {
  const active = model.alerts.list().filter((a) => isActive(a) && a.alert.side !== Side.UNSPECIFIED);
  const words: string[] = [];
  for (const a of active.slice(0, 2)) words.push(a.alert.summary);
  if (active.length > 2) words.push(`${active.length - 2} more`);
  const quiet = quietGroups(model, new Set(active.map((a) => a.alert.traceId)));
  const emg = over ? undefined : stalest(model.emg.list(), hubNowMs);
  const emgComes = emg === undefined || emg.state === 'live';
  if (emg && emgComes && !active.some((a) => a.alert.modality === Modality.EMG_FREE_RUNNING)) quiet.push('EMG without alert');
  if (!emgComes) words.push(`No EMG of ${sided(emg.channel.derivation, emg.channel.side)} for ${shortAge(emg.ageMs)}`);
  if (active.length === 0 && quiet.length > 0) {
    const measured = model.traces.list().filter((t) => t.measurement);
    const all = measured.length > 0 && measured.every(
      (t) => t.measurement?.measurement.state === MeasurementState.WITHIN_LIMITS);
    if (all && emgComes) return 'All responses within limits.';
  }
  const bare = model.traces.list().filter((t) => t.measurement && !t.measurement.measurement.baseline).length;
  if (bare > 0) words.push(bare === model.traces.list().length ? 'No baseline yet' : `${bare} ${bare === 1 ? 'trace' : 'traces'} without a baseline`);
  if (quiet.length > 0) words.push(`Within limits: ${quiet.join(', ')}`);
  return words.join('  \u00b7  ');
}

// "SEP arm right" where all of it is within limits, else the single traces that are.
function quietGroups(model: CaseModel, troubled: ReadonlySet<string>): string[] {
  const groups = new Map<string, { name: string; fine: string[]; all: number }>();
  for (const t of model.traces.list()) {
    const name = `${modalityName(t.modality)} ${sideWord(t.side).toLowerCase()}`;
    const group = groups.get(name) ?? { name, fine: [], all: 0 };
    groups.set(name, group);
    group.all++;
    const state = t.measurement?.measurement.state;
    if (!troubled.has(t.id) && state === MeasurementState.WITHIN_LIMITS) group.fine.push(t.name);
  }
  return [...groups.values()].filter((g) => g.fine.length > 0)
    .map((g) => (g.fine.length === g.all ? g.name : `${g.name} ${g.fine.join(' and ')}`));
}
