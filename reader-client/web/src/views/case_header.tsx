// The strip on top of a case: which room, how fresh, three ages that are never merged.

import { age, nsToMs, stopwatch } from '../base/format.js';
import type { Desk, OpenCase } from '../model/desk.js';
import { LOST_MS, STALE_MS } from '../wire/link_age.js';
import { agentTrouble } from '../model/attention.js';
import { freshness } from '../model/freshness.js';
import type { Freshness } from '../model/freshness.js';
import { phaseName, stageName } from '../model/words.js';
import { CaseStage, Role } from '../wire/generated/remora/v1/case_pb.js';
import { LINK_WORD, LinkBadge } from './link_view.js';
import { cls } from './parts.js';
import { HubTime, personOf } from './wall.js';

// The newest summary: the directory's, or the snapshot's before it came.
export function summaryOf(desk: Desk, open: OpenCase) {
  return desk.directory.cases.value.get(open.hex) ?? open.model.summary.value;
}

export const freshnessOf = (desk: Desk, open: OpenCase): Freshness =>
  freshness(desk.link.value, open.model.ended.value, summaryOf(desk, open));

export function responseMs(open: OpenCase): number {
  let newest = 0;
  for (const trace of open.model.traces.list()) {
    newest = Math.max(newest, trace.finished[trace.finished.length - 1]?.stimulusMs ?? 0);
  }
  return newest;
}

export function CaseHeader({ desk, open, sound, onWall }:
    { desk: Desk; open: OpenCase; sound: preact.ComponentChildren; onWall: () => void }) {
  void desk.beat.value;
  const c = summaryOf(desk, open);
  const now = desk.hubNow();
  const acquisition = open.model.acquiredMs > 0 ? now - open.model.acquiredMs : NaN;
  const response = responseMs(open);
  const unrecorded = open.model.unrecorded.value;
  const fresh = freshnessOf(desk, open);
  return (
    <header class="bar case-bar">
      <button class="plain back" onClick={onWall} aria-label="Back to the case wall" title="Wall (W)">{'\u2039'} Wall</button>
      <h1>
        {c?.theatre ?? '\u2026'} <span>{c?.procedure}</span>
      </h1>
      <span class="phase-now">
        {c ? phaseName(c.phase) : ''}{' '}
        <span class="number">{c && c.phaseUnixNs > 0n ? stopwatch(now - nsToMs(c.phaseUnixNs)) : ''}</span>
        {c && c.stage !== CaseStage.OPEN && <em> {stageName(c.stage)}</em>}
      </span>
      <span class="ages">
        {fresh.kind === 'ended'
          ? <span class="link link-ended" title={open.model.ended.value}><strong>{LINK_WORD.ended}</strong></span> : <LinkBadge desk={desk} />}
        <AgeField name="Acquisition" ms={acquisition} stale={STALE_MS} lost={LOST_MS} words={c && agentTrouble(c)} />
        <AgeField name="Response" ms={response > 0 ? now - response : NaN} />
      </span>
      {unrecorded > 0 && (
        <span class="unrecorded" title="Shown, but the hub's journal could not take it yet">UNRECORDED {unrecorded}</span>
      )}
      <span class="reader">{c && <>Reader <b>{personOf(c, Role.NEUROPHYSIOLOGIST) ?? 'nobody'}</b></>}
        {c && <> Tech <b>{personOf(c, Role.TECHNOLOGIST) ?? '\u2013'}</b></>}</span>
      {sound}
      <HubTime desk={desk} />
    </header>
  );
}

// One of the three ages. Without limits it is only told: a response of 14 minutes ago is not stale.
function AgeField({ name, ms, stale, lost, words }:
    { name: string; ms: number; stale?: number; lost?: number; words?: string | undefined }) {
  const state = lost !== undefined && ms >= lost ? 'lost' : stale !== undefined && ms >= stale ? 'stale' : 'fresh';
  return (
    <span class={cls('age-field', `age-${words ? 'stale' : state}`)}>
      {name} <span class="number">{age(ms)}</span>
      {(words || state !== 'fresh') && <b> {words ?? state.toUpperCase()}</b>}
    </span>
  );
}
