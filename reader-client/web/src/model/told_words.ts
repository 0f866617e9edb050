// What is told or measured beside traces, in words: vital signs, drugs, electrodes, stimuli, positions;
// train-of-four, thresholds, maps, EEG, relations. What a device or a person said is outside text: it is
// made fit for one line here. A number never stands without its unit, and one that is none says so.

import { plain } from '../base/format.js';
import { DrugChange, VitalKind } from '../wire/generated/remora/v1/case_pb.js';
import type { DrugGiven, Impedances, PositionChange, StimulusChange, Vitals } from '../wire/generated/remora/v1/case_pb.js';
import { EegActivityKind, MappingMethod, RelationKind, ThresholdState } from '../wire/generated/remora/v1/measurement_pb.js';
import type {
  EegActivity, MappingContact, MappingResult, Relation, SpectralEdge, StimulusThreshold, TrainOfFour,
} from '../wire/generated/remora/v1/measurement_pb.js';
import { MarkConfidence } from '../wire/generated/remora/v1/waveform_pb.js';
import type { Side, StimulusSetting } from '../wire/generated/remora/v1/waveform_pb.js';
import type { Record as CaseRecord } from '../wire/generated/remora/v1/record_pb.js';
import { nameOf, sidedName } from './trace_names.js';
import { modalityName, qualityName, sided } from './words.js';

export const TOLD_KINDS = ['position', 'drug', 'vital', 'tof', 'eeg', 'threshold', 'map', 'relation', 'stimulus', 'impedance'] as const;
export type ToldKind = (typeof TOLD_KINDS)[number];

// What makes it an event of the case: nothing; that it was told; that it is in another state than at the last
// event ('' is how all begin); that it has changed by so much.
export type News = { by: 'none' } | { by: 'each' } | { by: 'state'; state: string } | { by: 'step'; value: number; step: number };

export interface Told {
  kind: ToldKind;
  // Of all with the same key the newest stands.
  key: string;
  text: string;
  // On the origin's clock; 0: when it was recorded.
  atNs: bigint;
  news: News;
  // Of those with one event is replaced by the next: what goes on is told again.
  event?: string;
  // Of an electrode, in kOhm; Infinity: open.
  kohm?: number;
}

const LONGEST_TEXT = 160;
const LONGEST_NAME = 48;
const LARGEST_PLAIN = 1e7;
const NONE: News = { by: 'none' };
const EACH: News = { by: 'each' };

// Outside text for one line: no control or direction characters, and no longer than fits.
export function said(text: string, most = LONGEST_NAME): string {
  const characters = [...text.slice(0, 4 * most).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ').trim()];
  return characters.length > most ? `${characters.slice(0, most - 1).join('')}\u2026` : characters.join('');
}

export function quantity(value: number, digits: number, unit = ''): string {
  if (!Number.isFinite(value)) return 'no number';
  const number = Math.abs(value) < LARGEST_PLAIN ? plain(value, digits) : value.toExponential(2);
  return unit === '' ? number : `${number} ${unit}`;
}

const isKnown = (value: number): boolean => Number.isFinite(value) && value > 0;
const joined = (...words: string[]): string => words.filter((w) => w !== '').join(', ');
const because = (reason: string): string => (reason === '' ? '' : `; ${said(reason, LONGEST_TEXT)}`);
const by = (source: string, actor: string): string => {
  const who = joined(said(source), said(actor));
  return who === '' ? '' : ` (${who})`;
};
// "F3-P3 L" of "EEG/L/F3-P3".
function ofTrace(traceId: string, side: Side): string {
  const { derivation, behind } = nameOf(traceId);
  return sidedName({ derivation: said(derivation), behind: said(behind) }, side);
}
const signed = (value: number): string => (value > 0 ? `+${quantity(value, 2)}` : quantity(value, 2));

interface VitalLook {
  name: string;
  unit: string;
  digits: number;
  // So much is a change worth telling.
  step: number;
}
const VITALS: Partial<Record<VitalKind, VitalLook>> = {
  [VitalKind.MEAN_ARTERIAL_PRESSURE]: { name: 'MAP', unit: 'mmHg', digits: 0, step: 10 },
  [VitalKind.SYSTOLIC_PRESSURE]: { name: 'systolic', unit: 'mmHg', digits: 0, step: 20 },
  [VitalKind.DIASTOLIC_PRESSURE]: { name: 'diastolic', unit: 'mmHg', digits: 0, step: 15 },
  [VitalKind.HEART_RATE]: { name: 'heart rate', unit: '/min', digits: 0, step: 20 },
  [VitalKind.OXYGEN_SATURATION]: { name: 'SpO2', unit: '%', digits: 0, step: 4 },
  [VitalKind.END_TIDAL_CO2]: { name: 'EtCO2', unit: 'mmHg', digits: 0, step: 8 },
  [VitalKind.CORE_TEMPERATURE]: { name: 'core', unit: '\u00b0C', digits: 1, step: 0.5 },
  [VitalKind.LIMB_TEMPERATURE]: { name: 'limb', unit: '\u00b0C', digits: 1, step: 1 },
  [VitalKind.HAEMOGLOBIN]: { name: 'haemoglobin', unit: 'g/dl', digits: 1, step: 1 },
  [VitalKind.BISPECTRAL_INDEX]: { name: 'BIS of the monitor', unit: '', digits: 0, step: 15 },
  [VitalKind.ALVEOLAR_CONCENTRATION]: { name: 'MAC', unit: '', digits: 2, step: 0.3 },
};

function vitals({ vitals: all, source, actor }: Vitals): Told[] {
  return all.map((v) => {
    const look = VITALS[v.kind] ?? { name: 'unknown vital sign', unit: '', digits: 2, step: Infinity };
    const site = said(v.site);
    return {
      kind: 'vital', key: `vital/${v.kind}/${site}`, atNs: v.measuredMonotonicNs,
      text: `${v.kind === VitalKind.LIMB_TEMPERATURE && site ? site : look.name} ${quantity(v.value, look.digits, look.unit)}${actor ? by(source, actor) : ''}`,
      news: Number.isFinite(v.value) ? { by: 'step', value: v.value, step: look.step } : NONE,
    };
  });
}

const DRUG_WORD: Partial<Record<DrugChange, string>> = {
  [DrugChange.BOLUS]: 'bolus', [DrugChange.INFUSION_RATE]: 'infusion', [DrugChange.INSPIRED]: 'end-tidal',
};
function drug(d: DrugGiven): Told {
  const name = said(d.drug) || 'a drug without a name';
  const dose = said(d.dose) || (isKnown(d.amount) ? `${+d.amount.toPrecision(6)} ${said(d.unit)}`.trim() : '');
  const what = d.change === DrugChange.INFUSION_STOPPED ? `${name} infusion stopped`
    : joined(dose ? `${name} ${dose}` : `${name}, dose not said`, DRUG_WORD[d.change] ?? '');
  return { kind: 'drug', key: `drug/${name}`, text: what + by(d.source, d.actor), atNs: d.givenMonotonicNs, news: EACH };
}

const impedances = (all: Impedances): Told[] => all.electrodes.map((e) => ({
  kind: 'impedance', key: `impedance/${said(e.electrode)}`, atNs: all.measuredMonotonicNs, news: NONE,
  text: said(e.electrode) || 'an electrode without a name', kohm: e.open ? Infinity : e.kohm,
}));

function settingWords(s: StimulusSetting | undefined): string {
  if (!s) return 'not known';
  return joined(
    isKnown(s.currentMa) ? quantity(s.currentMa, 1, 'mA') : '', isKnown(s.voltageV) ? quantity(s.voltageV, 0, 'V') : '',
    s.pulseCount > 1 ? `${s.pulseCount} pulses` : '', isKnown(s.pulseUs) ? quantity(s.pulseUs, 0, '\u00b5s') : '',
    isKnown(s.rateHz) ? quantity(s.rateHz, 1, 'Hz') : '') || 'not known';
}
function stimulus(c: StimulusChange): Told {
  const s = c.stimulus;
  const site = s ? [sided(said(s.site), s.side).trim(), said(s.electrodes)].filter((w) => w !== '').join(' ') : '';
  const of = [c.modality === 0 ? said(c.modalityLabel) : modalityName(c.modality), site].filter((w) => w !== '').join(' ');
  const delivered = isKnown(s?.deliveredMa ?? 0) ? quantity(s!.deliveredMa, 1, 'mA') : isKnown(s?.deliveredV ?? 0) ? quantity(s!.deliveredV, 0, 'V') : 'not told';
  return {
    kind: 'stimulus', key: `stimulus/${c.modality}/${site}`, atNs: 0n, news: EACH,
    text: `${of || 'stimulus'}: ${settingWords(s)}${c.notAsAsked ? `, not as asked: delivered ${delivered}` : ''}` +
      (c.previous ? `; was ${settingWords(c.previous)}` : ''),
  };
}

const position = (p: PositionChange): Told => ({
  kind: 'position', key: 'position', atNs: p.changedMonotonicNs, news: EACH,
  text: (said(p.position, LONGEST_TEXT) || 'moved, not said how') + by('', p.actor),
});

// Ratio from which relaxation no longer stands against muscle responses.
const RECOVERED_RATIO = 0.7;
function trainOfFour(t: TrainOfFour): Told {
  const limb = sided(said(t.limb), 0) || ofTrace(t.traceId, t.side);
  const told = { kind: 'tof' as const, key: `tof/${limb}`, atNs: 0n };
  if (t.quality.length > 0 || t.twitchCount > 4) {
    const why = said(t.reason, LONGEST_TEXT) || t.quality.map(qualityName).join(', ') || 'not to be relied on';
    return { ...told, text: `${limb} no count: ${why}`, news: NONE };
  }
  const count = `${t.twitchCount}/4`;
  const ratio = t.twitchCount === 4 ? `ratio ${quantity(t.ratio, 2)}` : '';
  const control = isKnown(t.t1PercentOfControl) ? `T1 ${quantity(t.t1PercentOfControl, 0, '%')} of control` : '';
  return {
    ...told, text: joined(`${limb} ${count}`, ratio, control) + because(t.reason),
    news: { by: 'state', state: `${count}${t.twitchCount === 4 && t.ratio < RECOVERED_RATIO ? ' faded' : ''}` },
  };
}

function threshold(t: StimulusThreshold): Told {
  const volts = isKnown(t.thresholdV) || (!isKnown(t.thresholdMa) && isKnown(t.stimulus?.voltageV ?? 0));
  const intensity = (value: number) => (volts ? quantity(value, 0, 'V') : quantity(value, 2, 'mA'));
  const where = said(t.level) || ofTrace(t.traceId, t.side);
  const found = intensity(volts ? t.thresholdV : t.thresholdMa);
  const own = t.ownCount > 0 ? `own mean ${intensity(t.ownMean)} of ${t.ownCount}` : '';
  const words = t.state === ThresholdState.FOUND ? joined(found, own)
    : t.state === ThresholdState.NO_RESPONSE_AT_MAXIMUM ? 'no response at maximum, not verified'
      : t.state === ThresholdState.INCONSISTENT ? 'answers contradict each other'
        : joined('searched', isKnown(t.largestWithoutResponse) ? `none up to ${intensity(t.largestWithoutResponse)}` : '');
  const isOver = t.state === ThresholdState.FOUND || t.state === ThresholdState.NO_RESPONSE_AT_MAXIMUM || t.state === ThresholdState.INCONSISTENT;
  return {
    kind: 'threshold', key: `threshold/${t.modality}/${where}`, atNs: 0n,
    text: `${modalityName(t.modality)} ${where} threshold ${words}${because(t.reason)}`,
    news: isOver ? { by: 'state', state: `${t.state} ${found}` } : NONE,
  };
}

function mappingContact(c: MappingContact): Told {
  const seen = said(c.response);
  const measured = isKnown(c.amplitudeUv) ? `${quantity(c.amplitudeUv, 2, '\u00b5V')}, polarity ${signed(c.polarityRatio)}` : 'not measured';
  // Of a strip the newest is enough, its result says the rest; a stimulated site stands for itself.
  // What a person saw there is not undone by the next stimulus.
  const site = seen ? ` ${c.contactIndex}${c.actor ? ' seen' : ''}` : '';
  const news: News = c.actor || c.afterDischarge ? EACH : seen ? { by: 'state', state: seen } : NONE;
  return {
    kind: 'map', key: `map/${c.modality}/${said(c.strip)}/contact${site}`, atNs: 0n, news,
    text: joined(`${said(c.strip)} contact ${c.contactIndex}: ${seen || measured}`, isKnown(c.currentMa) ? quantity(c.currentMa, 1, 'mA') : '',
      c.afterDischarge ? 'after-discharge' : '', c.actor ? `seen by ${said(c.actor)}` : ''),
  };
}

function mappingResult(r: MappingResult): Told {
  const gradient = r.method === MappingMethod.GRADIENT;
  const nowhere = r.contactBefore === 0 || r.contactAfter === 0;
  const what = gradient ? 'left and right cross' : 'polarity turns';
  const where = nowhere ? 'nowhere' : `between contacts ${r.contactBefore} and ${r.contactAfter}`;
  return {
    kind: 'map', key: `map/${r.modality}/${said(r.strip)}/result`, atNs: 0n, news: EACH,
    text: joined(`${said(r.strip)}: ${what} ${where}`, nowhere ? '' : `confidence ${quantity(r.confidence, 2)}`,
      !nowhere && r.markConfidence === MarkConfidence.UNCERTAIN ? 'uncertain' : '') + because(r.reason),
  };
}

// Suppressed part in percent from which it is told as begun, and under which as over.
const SUPPRESSED_FROM = 10;
const SUPPRESSED_UNDER = 1;
function spectralEdge(e: SpectralEdge): Told {
  const told = { kind: 'eeg' as const, key: `eeg/${said(e.traceId, LONGEST_TEXT)}`, atNs: e.startedMonotonicNs };
  const name = ofTrace(e.traceId, e.side);
  if (e.quality.length > 0) return { ...told, text: `${name} no numbers: ${e.quality.map(qualityName).join(', ')}`, news: NONE };
  const percent = e.burstSuppressionPercent;
  const known = isKnown(e.suppressionOverS);
  return {
    ...told,
    text: joined(`${name} SEF95 ${quantity(e.sef95Hz, 1, 'Hz')}`, `median ${quantity(e.medianHz, 1, 'Hz')}`,
      known ? `suppression ${quantity(percent, 0, '%')} of ${quantity(e.suppressionOverS, 0, 's')}` : '',
      e.hasAsymmetry ? `asymmetry ${signed(e.asymmetry)}` : ''),
    news: known && percent >= SUPPRESSED_FROM ? { by: 'state', state: 'suppressed' }
      : known && percent < SUPPRESSED_UNDER ? { by: 'state', state: '' } : NONE,
  };
}

function eegActivity(a: EegActivity): Told {
  const what = a.kind === EegActivityKind.AFTER_DISCHARGE ? 'after-discharge' : 'activity';
  const after = [said(a.site), isKnown(a.currentMa) ? quantity(a.currentMa, 1, 'mA') : ''].filter((w) => w !== '').join(' ');
  const trace = said(a.traceId, LONGEST_TEXT);
  return {
    kind: 'eeg', key: `eeg activity/${trace}`, atNs: a.startedMonotonicNs, news: EACH, event: `${trace}/${a.startedMonotonicNs}`,
    text: joined(`${ofTrace(a.traceId, 0)} ${what} ${quantity(a.durationMs / 1000, 1, 's')}${a.ongoing ? ' so far' : ''}`,
      quantity(a.rateHz, 1, 'a second'), quantity(a.peakUv, 0, '\u00b5V'), after ? `after ${after}` : '') + because(a.reason),
  };
}

function relation(r: Relation): Told {
  const name = sided(said(r.name) || said(r.relationId), r.side);
  const none = r.confidence === MarkConfidence.NO_RESPONSE;
  const value = quantity(r.value, 2, r.kind === RelationKind.INTERVAL ? 'ms' : '');
  return {
    kind: 'relation', key: `relation/${said(r.relationId, LONGEST_TEXT)}`, atNs: 0n, news: NONE,
    text: joined(`${name} ${none ? 'no value' : value}`, r.confidence === MarkConfidence.UNCERTAIN ? 'uncertain' : '') + because(r.reason),
  };
}

// What a record tells beside traces; none of most kinds.
export function toldOf(body: CaseRecord['body']): Told[] {
  switch (body.case) {
    case 'vitals': return vitals(body.value);
    case 'drugGiven': return [drug(body.value)];
    case 'impedances': return impedances(body.value);
    case 'stimulusChange': return [stimulus(body.value)];
    case 'positionChange': return [position(body.value)];
    case 'trainOfFour': return [trainOfFour(body.value)];
    case 'stimulusThreshold': return [threshold(body.value)];
    case 'mappingContact': return [mappingContact(body.value)];
    case 'mappingResult': return [mappingResult(body.value)];
    case 'spectralEdge': return [spectralEdge(body.value)];
    case 'eegActivity': return [eegActivity(body.value)];
    case 'relation': return [relation(body.value)];
    default: return [];
  }
}
