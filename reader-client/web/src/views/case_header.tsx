// The strip on top of a case: which room, how fresh, three ages that are never merged.

import { ageWithin, boundWords, nsToMs, stopwatch } from '../base/format.js';
import { acquisitions, acquisitionWords, responses, responseWords, wouldSee } from '../model/ages.js';
import type { Desk, OpenCase } from '../model/desk.js';
import { agentTrouble, isOver } from '../model/attention.js';
import { freshness } from '../model/freshness.js';
import type { Freshness } from '../model/freshness.js';
import { overWords } from '../model/standing.js';
import { personOf, readersOf, readerWords } from '../model/people.js';
import { phaseName, stageName } from '../model/words.js';
import { CaseStage, Phase, Role } from '../wire/generated/remora/v1/case_pb.js';
import { CertificateBadge } from './certificate.js';
import { LINK_WORD, LinkMenu } from './link_view.js';
import { cls } from './parts.js';
import { HubTime } from './wall.js';

// The newest summary: the directory's, or the snapshot's before it came.
export function summaryOf(desk: Desk, open: OpenCase) {
  return desk.directory.cases.value.get(open.hex) ?? open.model.summary.value;
}

export const freshnessOf = (desk: Desk, open: OpenCase): Freshness =>
  freshness(desk.link.value, open.model.ended.value, summaryOf(desk, open), open.model.agentLink.value);

// Closed, sealed or abandoned: nothing of it is awaited or due.
export function isOverHere(desk: Desk, open: OpenCase): boolean {
  const c = summaryOf(desk, open);
  return c !== undefined && isOver(c);
}

// The phase as it is shown here, which may be ahead of the summary: that knows only what is on record.
export const phaseOf = (desk: Desk, open: OpenCase): Phase =>
  open.model.ready.value ? open.model.phaseNow() : summaryOf(desk, open)?.phase ?? Phase.UNSPECIFIED;

export function CaseHeader({ desk, open, sound, onWall }:
    { desk: Desk; open: OpenCase; sound: preact.ComponentChildren; onWall: () => void }) {
  void desk.beat.value;
  const c = summaryOf(desk, open);
  const now = desk.hubNow();
  const fresh = freshnessOf(desk, open);
  const phase = phaseOf(desk, open);
  const over = c && overWords(c, open.model.stages.sinceMs(c.stage));
  return (
    <header class="bar case-bar">
      <button class="plain back" onClick={onWall} aria-label="Back to the case wall" title="Wall (W)">{'\u2039'} Wall</button>
      <h1>
        <b>{c?.theatre ?? '\u2026'}</b> <span>{c?.procedure}</span>
      </h1>
      <span class="phase-now">
        {c ? phaseName(phase) : ''}{' '}
        <span class="number">{c && !over && c.phase === phase && c.phaseUnixNs > 0n ? stopwatch(now - nsToMs(c.phaseUnixNs)) : ''}</span>
        {c && !over && c.stage !== CaseStage.OPEN && <em> {stageName(c.stage)}</em>}
      </span>
      <span class="ages">
        {fresh.kind === 'ended'
          ? <span class="link link-ended" title={open.model.ended.value}><strong>{LINK_WORD.ended}</strong></span> : <LinkMenu desk={desk} open={open} />}
        {over ? <b class="case-over number">{over}</b> : <CaseAges desk={desk} open={open} />}
      </span>
      <CertificateBadge summary={c} open={open} />
      <span class="reader">{c && <>Reader <b>{readerWords(readersOf(c), 'nobody')}</b></>}
        {c && <> Tech <b>{personOf(c, Role.TECHNOLOGIST)?.name ?? '\u2013'}</b></>}</span>
      {sound}
      <HubTime desk={desk} />
    </header>
  );
}

// Acquisition and response of a case that goes on.
function CaseAges({ desk, open }: { desk: Desk; open: OpenCase }) {
  void desk.beat.value;
  void open.model.traces.version.value;
  const c = summaryOf(desk, open);
  const now = desk.hubNow();
  const acquisition = acquisitionWords(acquisitions(open.model, now), wouldSee(freshnessOf(desk, open), open.model));
  const response = responseWords(responses(open.model, phaseOf(desk, open), now));
  const agent = c && agentTrouble(c, open.model.agentLink.value);
  return (
    <>
      <span class={cls('age-field', (acquisition.words || agent) && 'age-stale')} title={`In the hub\u2019s time, ${boundWords(desk.clockBoundMs())}`}>
        {agent ? <b>{agent}</b> : acquisition.words ? <b class="number">{acquisition.words}</b>
          : <>Acquisition <span class="number">{ageWithin(acquisition.ageMs, desk.clockBoundMs())}</span></>}
      </span>
      <span class={cls('age-field', response?.overdue && 'age-stale')} title="Since the trial that is shown ended">
        {response?.overdue ? <b class="number">OVERDUE {response.words}</b>
          : <>Response <span class="number">{response?.words ?? '\u2013'}</span></>}
      </span>
    </>
  );
}
