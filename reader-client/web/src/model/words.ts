// The words of the field for what the contract numbers. The same word everywhere.

import { AlertPriority } from '../wire/generated/remora/v1/alert_pb.js';
import { BaselineKind, CaseStage, Phase, Role } from '../wire/generated/remora/v1/case_pb.js';
import { LinkCondition } from '../wire/generated/remora/v1/link_pb.js';
import { EmgActivityKind, MeasurementState, TrainPattern } from '../wire/generated/remora/v1/measurement_pb.js';
import type { EmgActivity } from '../wire/generated/remora/v1/measurement_pb.js';
import { Modality, QualityFlag, Side } from '../wire/generated/remora/v1/waveform_pb.js';

const title = (name: string): string => {
  const text = name.toLowerCase().replaceAll('_', ' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
};

export const MODALITY_SHORT: Partial<Record<Modality, string>> = {
  [Modality.SEP_UPPER]: 'SEP arm',
  [Modality.SEP_LOWER]: 'SEP leg',
  [Modality.SEP_DERMATOMAL]: 'SEP derm',
  [Modality.MEP_TRANSCRANIAL]: 'MEP',
  [Modality.MEP_DIRECT_CORTICAL]: 'dcMEP',
  [Modality.D_WAVE]: 'D-wave',
  [Modality.EMG_FREE_RUNNING]: 'EMG',
  [Modality.EMG_TRIGGERED]: 'tEMG',
  [Modality.DIRECT_NERVE_STIMULATION]: 'DNS',
  [Modality.PEDICLE_SCREW]: 'Screw',
  [Modality.RLN_INTERMITTENT]: 'RLN',
  [Modality.RLN_CONTINUOUS]: 'RLN cont.',
  [Modality.BAEP]: 'BAEP',
  [Modality.ECOCHG]: 'ECochG',
  [Modality.VEP]: 'VEP',
  [Modality.EEG]: 'EEG',
  [Modality.ECOG]: 'ECoG',
  [Modality.TRAIN_OF_FOUR]: 'TOF',
  [Modality.MAP_MIDLINE]: 'Midline map',
  [Modality.MAP_CORTICAL_PHASE_REVERSAL]: 'Sulcus map',
  [Modality.MAP_CORTICAL_STIMULATION]: 'Cortex map',
  [Modality.MAP_SUBCORTICAL]: 'Subcortical map',
};

export const modalityName = (m: Modality): string =>
  MODALITY_SHORT[m] ?? title(Modality[m] ?? 'unknown');

export function sideWord(side: Side): string {
  switch (side) {
    case Side.LEFT: return 'LEFT';
    case Side.RIGHT: return 'RIGHT';
    case Side.MIDLINE: return 'MIDLINE';
    case Side.BILATERAL: return 'BOTH SIDES';
    default: return '';
  }
}

export const phaseName = (p: Phase): string => (p === 0 ? 'Phase not set' : title(Phase[p] ?? ''));
export const stageName = (s: CaseStage): string => (s === 0 ? '' : title(CaseStage[s] ?? ''));
export const qualityName = (q: QualityFlag): string => title(QualityFlag[q] ?? 'unknown').toLowerCase();

export function roleName(role: Role): string {
  switch (role) {
    case Role.NEUROPHYSIOLOGIST: return 'Reader';
    case Role.SURGICAL_TEAM: return 'Theatre';
    case Role.TECHNOLOGIST: return 'Technologist';
    default: return title(Role[role] ?? '');
  }
}

const BASELINES: Record<BaselineKind, string> = {
  [BaselineKind.UNSPECIFIED]: 'baseline',
  [BaselineKind.PRE_INTUBATION]: 'pre-intubation',
  [BaselineKind.PRE_POSITION]: 'pre-position',
  [BaselineKind.POST_POSITION]: 'post-position',
  [BaselineKind.PRE_INCISION]: 'pre-incision',
  [BaselineKind.POST_EXPOSURE]: 'post-exposure',
  [BaselineKind.REBASELINE]: 're-baseline',
};
export const baselineName = (kind: BaselineKind): string => BASELINES[kind] ?? 'baseline';

// Sign and word of a priority. Colour only ever comes with them.
export interface PriorityLook {
  sign: string;
  word: string;
  css: 'high' | 'medium' | 'low' | 'information' | 'none';
}
export function priorityLook(p: AlertPriority): PriorityLook {
  switch (p) {
    case AlertPriority.HIGH: return { sign: '!!!', word: 'High', css: 'high' };
    case AlertPriority.MEDIUM: return { sign: '!!', word: 'Medium', css: 'medium' };
    case AlertPriority.LOW: return { sign: '!', word: 'Low', css: 'low' };
    case AlertPriority.INFORMATION: return { sign: 'i', word: 'Information', css: 'information' };
    default: return { sign: '', word: '', css: 'none' };
  }
}

// How a modality or a trace stands: one glyph, one word.
export interface StateLook {
  glyph: string;
  word: string;
  css: 'high' | 'medium' | 'ok' | 'quiet';
}
// Without a baseline "no response" is a finding, not an alarm.
export function stateLook(s: MeasurementState, hasBaseline = true): StateLook {
  switch (s) {
    case MeasurementState.WITHIN_LIMITS: return { glyph: 'ok', word: 'within limits', css: 'ok' };
    case MeasurementState.AMBER: return { glyph: '!!', word: 'beyond the first limit', css: 'medium' };
    case MeasurementState.RED: return { glyph: '!!!', word: 'beyond the limit', css: 'high' };
    case MeasurementState.NO_RESPONSE: return { glyph: '\u2205', word: 'no response', css: hasBaseline ? 'high' : 'quiet' };
    case MeasurementState.NO_BASELINE: return { glyph: '\u25cb', word: 'no baseline yet', css: 'quiet' };
    case MeasurementState.NOT_INTERPRETABLE: return { glyph: '?', word: 'not interpretable', css: 'quiet' };
    default: return { glyph: '\u2013', word: 'nothing measured', css: 'quiet' };
  }
}

// Who reads a case from elsewhere, as common/fold/readers.h.
export const readsCases = (role: Role): boolean => role === Role.NEUROPHYSIOLOGIST || role === Role.CENTRE;

export function linkWord(c: LinkCondition): string {
  switch (c) {
    case LinkCondition.LIVE: return 'live';
    case LinkCondition.STALE: return 'stale';
    case LinkCondition.LOST: return 'lost';
    case LinkCondition.UNSUPERVISED: return 'unsupervised';
    default: return 'not connected';
  }
}

const ACTIVITY_WORD: Partial<Record<EmgActivityKind, string>> = {
  [EmgActivityKind.SPIKE]: 'spike',
  [EmgActivityKind.BURST]: 'burst',
  [EmgActivityKind.TRAIN]: 'train',
  [EmgActivityKind.ARTEFACT]: 'artefact',
  [EmgActivityKind.SILENCE]: 'silence after a burst',
};

const PATTERN_LETTER: Partial<Record<TrainPattern, string>> = {
  [TrainPattern.A]: 'A', [TrainPattern.B]: 'B', [TrainPattern.C]: 'C',
};

// "A-train", "burst", "silence after a burst".
export function activityWord(activity: EmgActivity): string {
  const letter = PATTERN_LETTER[activity.trainPattern];
  return letter ? `${letter}-train` : ACTIVITY_WORD[activity.kind] ?? 'discharge';
}

// "TA L": the side is added where the name does not end with it.
export function sided(derivation: string, side: Side): string {
  const letter = sideWord(side).charAt(0);
  return letter === '' || derivation.endsWith(` ${letter}`) ? derivation : `${derivation} ${letter}`;
}
