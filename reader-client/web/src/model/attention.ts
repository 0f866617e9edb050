// Which cases need somebody, and how a wall says so: out of their summaries alone.

import { nsToMs, shortAge } from '../base/format.js';
import { AlertPriority } from '../wire/generated/remora/v1/alert_pb.js';
import { CaseStage } from '../wire/generated/remora/v1/case_pb.js';
import type { Phase } from '../wire/generated/remora/v1/case_pb.js';
import type { CaseSummary, ModalitySummary } from '../wire/generated/remora/v1/directory_pb.js';
import type { LinkPhase } from '../wire/link_age.js';
import { LinkCondition, RecordingCondition } from '../wire/generated/remora/v1/link_pb.js';
import { Modality } from '../wire/generated/remora/v1/waveform_pb.js';
import { dueMs } from './ages.js';
import { linkWord, stateLook } from './words.js';
import type { StateLook } from './words.js';

const OVER = [CaseStage.CLOSED, CaseStage.SEALED, CaseStage.ABANDONED];
export const isOver = (c: CaseSummary): boolean => OVER.includes(c.stage);

// An agent is expected from when a case is opened until it is over.
// `shown`: its link by what was shown in the case, on record or not; the worse of both counts.
export function agentTrouble(c: CaseSummary, shown: LinkCondition = LinkCondition.UNSPECIFIED): string | undefined {
  if (c.stage === CaseStage.SCHEDULED || isOver(c)) return undefined;
  const link = c.agentLink === LinkCondition.UNSPECIFIED ? c.agentLink : Math.max(c.agentLink, shown);
  return link === LinkCondition.LIVE ? undefined : `agent ${linkWord(link)}`;
}

// What is shown of the case is not on record now.
export const isUnrecorded = (c: CaseSummary): boolean => !isOver(c) && c.recording === RecordingCondition.UNRECORDED;

// What is wrong with the means, in words; alerts are another matter.
export const trouble = (c: CaseSummary): string | undefined => (isUnrecorded(c) ? 'NOT RECORDED' : agentTrouble(c));

// Information asks for nobody.
export const isCallingCase = (c: CaseSummary): boolean =>
  !isOver(c) && c.callingPriority > AlertPriority.INFORMATION;

// The most urgent priority that nobody has acknowledged: what sounds.
export function soundingPriority(cases: Iterable<CaseSummary>): AlertPriority {
  let worst = AlertPriority.UNSPECIFIED;
  for (const c of cases) if (isCallingCase(c) && c.callingPriority > worst) worst = c.callingPriority;
  return worst;
}

// What must be heard though no response has changed: nothing is recorded, or nothing comes any more.
export function technicalPriority(link: LinkPhase, everLive: boolean, unrecorded: boolean): AlertPriority {
  if (everLive && (link === 'lost' || link === 'unsupervised')) return AlertPriority.MEDIUM;
  return unrecorded ? AlertPriority.MEDIUM : AlertPriority.UNSPECIFIED;
}

// Who calls first: by priority, then who has called for longest.
export function byUrgency(a: CaseSummary, b: CaseSummary): number {
  const priority = (c: CaseSummary) => (isCallingCase(c) ? c.callingPriority : 0);
  const difference = priority(b) - priority(a);
  return difference !== 0 ? difference : Number(a.callingAlertUnixNs - b.callingAlertUnixNs);
}

// EMG comes all the time; an evoked response with each finished average.
const EMG_OLD_MS = 10_000;
const EVOKED_OLD_MS = 60_000;

export interface ModalityLook extends StateLook {
  // Its age in words, where that is to be told.
  old: string | undefined;
}

// What is old keeps its alarm, but is never said to be well.
export function modalityLook(m: ModalitySummary, alerted: boolean, nowMs: number, phase: Phase = 0): ModalityLook {
  const look = stateLook(m.worstState, alerted);
  const ageMs = nowMs - nsToMs(m.lastUnixNs);
  const emg = m.modality === Modality.EMG_FREE_RUNNING;
  if (m.lastUnixNs === 0n || ageMs <= (emg ? EMG_OLD_MS : EVOKED_OLD_MS)) return { ...look, old: undefined };
  const due = dueMs(m.modality, phase);
  const old = due !== undefined && ageMs > due ? `overdue ${shortAge(ageMs)}` : shortAge(ageMs);
  if (look.css !== 'ok') return { ...look, old };
  return emg ? { glyph: '?', word: `no data for ${old}`, css: 'quiet', old }
    : { ...look, css: 'quiet', word: `${look.word} ${old} ago`, old };
}
