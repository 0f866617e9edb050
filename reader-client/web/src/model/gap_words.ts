// Gaps in the words of the field: which records, whose, when, and why they are not there.

import { timeOfDay } from '../base/format.js';
import { DataGapCause, NamedGapCause } from '../wire/generated/remora/v1/link_pb.js';
import type { Certificate, DataGap } from '../wire/generated/remora/v1/link_pb.js';
import { Modality } from '../wire/generated/remora/v1/waveform_pb.js';
import { idFrom } from '../wire/record_id.js';
import type { Id } from '../wire/record_id.js';
import { modalityOfTrace, nameOf } from './trace_names.js';
import { modalityName } from './words.js';

const LANES = ['alerts', 'events', 'measurements', 'sweeps', 'envelopes', 'samples'];
export const laneWord = (lane: number): string => LANES[lane] ?? 'records of an unknown kind';

export function causeWords(cause: DataGapCause): string {
  switch (cause) {
    case DataGapCause.SPOOL_SHORT: return 'its disk was short of space';
    case DataGapCause.SOURCE_GAP: return 'the source gave none';
    case DataGapCause.SPOOL_DAMAGED: return 'its spool was damaged';
    case DataGapCause.AGENT_RESTARTED: return 'the agent was started again';
    default: return 'it was not said why';
  }
}

// When what is missing was made, in the hub's time; undefined: not said.
export interface Span {
  fromMs: number;
  toMs: number;
}

const spanWords = (span: Span | undefined): string =>
  span ? ` ${timeOfDay(span.fromMs, true)}\u2013${timeOfDay(span.toMs, true)}` : '';
const numbers = (first: bigint, last: bigint): string => (first === last ? `${first}` : `${first}\u2013${last}`);

// "EMG TA samples" of "EMG_FREE_RUNNING/L/TA"; "sweeps" without a trace.
function whatOf(gap: DataGap): string {
  const what = gap.firstOriginSeq > 0n ? laneWord(gap.lane) : 'samples';
  if (gap.traceId === '') return what;
  const [kind = '', side] = gap.traceId.split('/');
  const modality = modalityOfTrace(gap.traceId);
  const { derivation, behind } = nameOf(gap.traceId);
  return [modality === Modality.UNSPECIFIED ? kind : modalityName(modality), side === undefined ? '' : derivation, side === 'L' ? 'left' : side === 'R' ? 'right' : '', behind, what]
    .filter((word) => word !== '').join(' ');
}

// "EMG TA left samples missing 12:03:10-12:03:25: its disk was short of space".
export function dataGapWords(gap: DataGap, span: Span | undefined): string {
  const what = whatOf(gap);
  const counted = gap.firstOriginSeq > 0n ? ` (${gap.lastOriginSeq - gap.firstOriginSeq + 1n}: ${numbers(gap.firstOriginSeq, gap.lastOriginSeq)})` : '';
  const words = `${what} missing${spanWords(span)}${counted}: ${causeWords(gap.cause)}`;
  return words.charAt(0).toUpperCase() + words.slice(1);
}

// What is known of a DataGap on record, by its id.
export interface KnownGap {
  cause: DataGapCause;
  span: Span | undefined;
}

// A line of what a certificate names.
export interface GapRow {
  whose: string;
  what: string;
  numbers: string;
  count: bigint;
  why: string;
  when: string;
  // On record, behind a later one.
  late: boolean;
}

function whyOf(cause: NamedGapCause, known: KnownGap | undefined): string {
  if (cause === NamedGapCause.REFUSED) return 'refused by the hub';
  if (cause !== NamedGapCause.DATA_GAP) return 'missing: nobody has said why';
  return `given up: ${causeWords(known?.cause ?? DataGapCause.UNSPECIFIED)}`;
}

// What is lost, by whose and which lane, before what was late.
export function gapRows(certificate: Certificate, known: ReadonlyMap<Id, KnownGap>): GapRow[] {
  const lost: GapRow[] = [];
  const late: GapRow[] = [];
  for (const head of certificate.heads) {
    const of = { whose: head.participant || 'the hub', what: laneWord(head.lane) };
    for (const gap of head.gaps) {
      const id = idFrom(gap.dataGap);
      const told = id === undefined ? undefined : known.get(id);
      lost.push({ ...of, numbers: numbers(gap.firstOriginSeq, gap.lastOriginSeq), count: gap.lastOriginSeq - gap.firstOriginSeq + 1n,
        why: whyOf(gap.cause, told), when: spanWords(told?.span).trim() || '\u2013', late: false });
    }
    for (const range of head.late) {
      late.push({ ...of, numbers: numbers(range.firstOriginSeq, range.lastOriginSeq), count: range.lastOriginSeq - range.firstOriginSeq + 1n,
        why: 'came late, and is on record', when: '\u2013', late: true });
    }
  }
  return [...lost, ...late];
}
