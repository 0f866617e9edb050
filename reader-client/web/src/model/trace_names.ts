// What a trace is called, for people. An id is "MODALITY/side/derivation", and behind it what tells traces of one
// derivation apart: the stimulus of a muscle that answers several, the number of a contact.

import { Modality } from '../wire/generated/remora/v1/waveform_pb.js';
import type { Side, Sweep } from '../wire/generated/remora/v1/waveform_pb.js';
import { sided } from './words.js';

const MAPS = [Modality.MAP_MIDLINE, Modality.MAP_CORTICAL_PHASE_REVERSAL];
// What stimulates, where the electrodes alone would not say it.
const STIMULATOR: Partial<Record<Modality, string>> = {
  [Modality.MEP_TRANSCRANIAL]: 'TES', [Modality.MEP_DIRECT_CORTICAL]: 'DCS',
};
const ELECTRODE = /^([A-Z]{1,3}[0-9]{0,2}|[A-Z]{1,2}z)'?$/;

export interface TraceName {
  derivation: string;
  // "after TES C3-C4", "contact 5"; empty: the derivation tells it.
  behind: string;
}

export function modalityOfTrace(traceId: string): Modality {
  const found: unknown = Modality[traceId.split('/')[0] as keyof typeof Modality];
  return typeof found === 'number' ? found : Modality.UNSPECIFIED;
}

// `derivation`: as a sweep says it, which may have a slash of its own; empty: not known.
export function nameOf(traceId: string, derivation = ''): TraceName {
  const [modality = '', side, ...rest] = traceId.split('/');
  if (side === undefined) return { derivation: derivation || modality, behind: '' };
  const known = derivation === '' ? '' : `${modality}/${side}/${derivation}`;
  if (known !== '' && (traceId === known || traceId.startsWith(`${known}/`))) {
    return { derivation, behind: behindWords(modalityOfTrace(traceId), traceId.slice(known.length + 1)) };
  }
  const [first = '', ...more] = rest;
  return { derivation: derivation || first || traceId, behind: behindWords(modalityOfTrace(traceId), more.join('/')) };
}

function behindWords(modality: Modality, behind: string): string {
  if (behind === '') return '';
  if (MAPS.includes(modality)) return `contact ${behind}`;
  const isMontage = behind.split('-').every((name) => ELECTRODE.test(name));
  const stimulator = isMontage ? STIMULATOR[modality] : undefined;
  return `after ${stimulator ? `${stimulator} ` : /^code \d/.test(behind) ? 'stimulus ' : ''}${behind}`;
}

const SEPARATOR = ' \u00b7 ';
export const fullName = ({ derivation, behind }: TraceName): string => (behind === '' ? derivation : derivation + SEPARATOR + behind);
// "TA R \u00b7 after TES C3-C4".
export function sidedName(name: TraceName, side: Side): string {
  return fullName({ ...name, derivation: sided(name.derivation, side) });
}

const TWITCH = /^T([1-4])$/;
// Which stimulus a single sweep answers, where that changes from one to the next; empty: it is not said.
export function siteWords(sweep: Pick<Sweep, 'modality' | 'site'>): string {
  const twitch = TWITCH.exec(sweep.site)?.[1];
  if (sweep.modality === Modality.TRAIN_OF_FOUR && twitch) return `twitch ${twitch} of 4`;
  return sweep.site;
}
