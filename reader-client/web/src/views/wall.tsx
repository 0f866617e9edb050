// The case wall: a tile a case, each in its slot, and above them who needs you now.

import { age, nsToMs, shortAge, stopwatch, timeOfDay } from '../base/format.js';
import type { Desk } from '../model/desk.js';
import { agentTrouble, byUrgency, isCallingCase, isOver, isUnrecorded, modalityLook, trouble } from '../model/attention.js';
import { personOf, readersOf, readerWords } from '../model/people.js';
import { linkWord, modalityName, phaseName, priorityLook, roleName, stageName } from '../model/words.js';
import { CaseStage, Role } from '../wire/generated/remora/v1/case_pb.js';
import type { CaseSummary } from '../wire/generated/remora/v1/directory_pb.js';
import { paintSparkline } from '../render/trend_painter.js';
import { CertificateBadge } from './certificate.js';
import { LinkBadge, LostCover } from './link_view.js';
import { Canvas, cls, Notices, Sign } from './parts.js';
import { UnsentOnWall } from './unsent.js';

// The hub tells new heads each 2 s: what is older than this is late.
const LATE_MS = 5_000;
const SHOWN_CLOSED = 50;

// In the order of their slots. A slot is given once and kept while the page is open.
const slots = new Map<string, number>();
export function inSlots(cases: ReadonlyMap<string, CaseSummary>): [string, CaseSummary][] {
  const fresh = [...cases].filter(([hex]) => !slots.has(hex))
    .sort((a, b) => a[1].theatre.localeCompare(b[1].theatre, undefined, { numeric: true }));
  for (const [hex] of fresh) slots.set(hex, slots.size);
  return [...cases].filter(([, c]) => !isOver(c))
    .sort((a, b) => slots.get(a[0])! - slots.get(b[0])!);
}

export function Wall({ desk, onOpen, sound }:
    { desk: Desk; onOpen: (hex: string) => void; sound: preact.ComponentChildren }) {
  const all = inSlots(desk.directory.cases.value);
  const hidden = desk.directory.cases.value.size - all.length;
  const phase = desk.link.value;
  return (
    <div class={cls('wall', phase !== 'live' && phase !== 'connecting' && 'is-stale')}>
      <header class="bar">
        <h1 class="brand">Remora <span>case wall</span></h1>
        <Attention desk={desk} all={all} onOpen={onOpen} />
        {sound}
        <LinkBadge desk={desk} />
        <HubTime desk={desk} />
        <span class="me">{desk.displayName.value}</span>
      </header>
      <UnsentOnWall desk={desk} onOpen={onOpen} />
      <main class="tiles">
        {all.map(([hex, c], i) => (
          <Tile key={hex} desk={desk} summary={c} slot={i + 1} onOpen={() => onOpen(hex)} />
        ))}
        {all.length === 0 && (
          <p class="empty">{desk.directory.known.value ? 'No case is open.' : 'Asking the hub for its cases\u2026'}</p>
        )}
      </main>
      {hidden > 0 && <ClosedCases desk={desk} onOpen={onOpen} />}
      <LostCover desk={desk} />
      <Notices desk={desk} />
    </div>
  );
}

// What is over: what the hub has signed of each, and what nobody has looked through yet.
function ClosedCases({ desk, onOpen }: { desk: Desk; onOpen: (hex: string) => void }) {
  const over = [...desk.directory.cases.value].filter(([, c]) => isOver(c))
    .sort((a, b) => Number(b[1].lastRecordUnixNs - a[1].lastRecordUnixNs));
  return (
    <details class="closed-cases">
      <summary>{over.length} closed {over.length === 1 ? 'case' : 'cases'}</summary>
      <ul>
        {over.slice(0, SHOWN_CLOSED).map(([hex, c]) => (
          <li key={hex}>
            <button class="plain" onClick={() => onOpen(hex)}>{c.theatre} {c.procedure}</button>{' '}
            <b>{stageName(c.stage).toUpperCase()}</b> <span class="calm">last record <span class="number">{timeOfDay(nsToMs(c.lastRecordUnixNs))}</span></span> <CertificateBadge summary={c} />
            {c.unreviewedIntervalCount > 0 && <> {c.unreviewedIntervalCount} not looked through</>}
          </li>
        ))}
      </ul>
    </details>
  );
}

export function HubTime({ desk }: { desk: Desk }) {
  void desk.beat.value;
  return <span class="clock number" title="The hub's time">{timeOfDay(desk.hubNow(), true)}</span>;
}

function Attention({ desk, all, onOpen }:
    { desk: Desk; all: [string, CaseSummary][]; onOpen: (hex: string) => void }) {
  void desk.beat.value;
  const calls = all.filter(([, c]) => isCallingCase(c) || trouble(c)).sort((a, b) => byUrgency(a[1], b[1]));
  return (
    <nav class="attention" aria-label="Needs you now">
      {calls.length === 0 && <span class="calm">Nothing needs you now</span>}
      {calls.map(([hex, c]) => {
        const calling = isCallingCase(c);
        return (
          <button key={hex} onClick={() => onOpen(hex)} class={cls('call', calling && `call-${priorityLook(c.callingPriority).css}`)}>
            {calling && <Sign priority={c.callingPriority} calling />}
            <strong>{c.theatre}</strong>
            <span class="what">{calling ? c.callingAlert : trouble(c)}</span>
            {calling && <span class="number">{stopwatch(desk.hubNow() - nsToMs(c.callingAlertUnixNs))}</span>}
          </button>
        );
      })}
    </nav>
  );
}

function Tile({ desk, summary: c, slot, onOpen }:
    { desk: Desk; summary: CaseSummary; slot: number; onOpen: () => void }) {
  void desk.beat.value;
  const now = desk.hubNow();
  const dataAge = now - nsToMs(c.lastRecordUnixNs);
  const agent = agentTrouble(c);
  const unrecorded = isUnrecorded(c);
  const calling = isCallingCase(c);
  // What calls has the frame; else the worst that is open.
  const look = priorityLook(calling ? c.callingPriority : c.openAlertCount > 0 ? c.worstPriority : 0);
  const percents = c.worstAmplitudePercent;
  return (
    <article class={cls('tile', `tile-${look.css}`, calling && 'tile-calling', agent && 'tile-stale', unrecorded && 'tile-unrecorded')}>
      <button class="tile-open" onClick={onOpen} aria-label={`Open ${c.theatre}, ${c.procedure}`} />
      <header>
        <span class="slot" aria-hidden="true">{slot}</span>
        <h2>{c.theatre}</h2>
        <span class={cls('fresh', dataAge > LATE_MS && 'fresh-old')}>
          {c.stage === CaseStage.OPEN ? (agent ?? 'data') : stageName(c.stage)}{' '}
          <span class="number">{c.lastRecordUnixNs > 0n ? age(dataAge) : ''}</span>
        </span>
      </header>
      {unrecorded && <p class="tile-strip"><b>NOT RECORDED</b> What comes now is shown and not on record.</p>}
      {c.unreviewedIntervalCount > 0 && (
        <p class="tile-strip">{c.unreviewedIntervalCount} {c.unreviewedIntervalCount === 1 ? 'outage' : 'outages'} not looked through</p>
      )}
      <p class="procedure">{c.procedure || 'Procedure not named'}</p>
      <p class="phase">
        {phaseName(c.phase)} <span class="number">{c.phaseUnixNs > 0n ? stopwatch(now - nsToMs(c.phaseUnixNs)) : ''}</span>
      </p>
      <ul class="modalities" aria-label="Modalities">
        {c.modalities.map((m) => {
          const state = modalityLook(m, c.openAlertCount > 0, now, c.phase);
          return (
            <li key={m.modality} class={cls(`state-${state.css}`, state.old && 'old')} title={state.word}>
              {modalityName(m.modality)} <b aria-hidden="true">{state.glyph}</b>
              {state.old && <small class="number"> {state.old}</small>}
              <span class="unseen">{state.word}</span>
            </li>
          );
        })}
      </ul>
      <div class="worst"><AlertLines summary={c} now={now} /></div>
      <div class="spark">
        <Canvas desk={desk} paint={(canvas) => paintSparkline(canvas, percents, 50)}
          label={percents.length > 0
            ? `Worst amplitude of the last hour: now ${Math.round(percents[percents.length - 1]!)} % of baseline`
            : 'No measurement yet'} />
        <span class="number">{percents.length > 0 ? `${Math.round(percents[percents.length - 1]!)} %` : '\u2013'}
          <small>of baseline</small></span>
      </div>
      <dl class="people">
        <div><dt>Reader</dt><dd>{readerWords(readersOf(c), 'nobody')}</dd></div>
        <div><dt>{roleName(Role.TECHNOLOGIST)}</dt><dd>{personOf(c, Role.TECHNOLOGIST)?.name ?? 'not connected'}</dd></div>
        <div><dt>Agent</dt><dd>{linkWord(c.agentLink)}</dd></div>
      </dl>
      <p class="last-message">
        {c.lastMessage ? <><b>{c.lastMessageSender}</b> {c.lastMessage}</> : <span class="calm">No message yet</span>}
      </p>
    </article>
  );
}

// What calls, and the worst of what is open where that is another.
function AlertLines({ summary: c, now }: { summary: CaseSummary; now: number }) {
  if (c.openAlertCount === 0) return <span class="calm">No open alert</span>;
  const calling = isCallingCase(c);
  const worstCalls = calling && c.callingAlert === c.worstAlert && c.callingPriority === c.worstPriority;
  return (
    <>
      {calling && (
        <p>
          <Sign priority={c.callingPriority} calling />
          <span class="words">{c.callingAlert}</span>
          <span class="since number">{stopwatch(now - nsToMs(c.callingAlertUnixNs))}</span>
        </p>
      )}
      {!worstCalls && (
        <p>
          <Sign priority={c.worstPriority} />
          <span class="words">{c.worstAlert}</span>
          <span class="since number">{stopwatch(now - nsToMs(c.worstAlertUnixNs))}</span>
          {(calling || c.unacknowledgedAlertCount === 0) && <span class="acknowledged">acknowledged</span>}
        </p>
      )}
    </>
  );
}

// The other cases, as a strip in a case view: an alert elsewhere is seen from here.
export function OtherCases({ desk, except, onOpen }:
    { desk: Desk; except: string; onOpen: (hex: string) => void }) {
  void desk.beat.value;
  const now = desk.hubNow();
  return (
    <nav class="others" aria-label="Other cases">
      {inSlots(desk.directory.cases.value).map(([hex, c], i) => hex === except ? null : (
        <button key={hex} onClick={() => onOpen(hex)}
          class={cls(isCallingCase(c) && `call-${priorityLook(c.callingPriority).css}`)}>
          <span class="slot" aria-hidden="true">{i + 1}</span> {c.theatre}{' '}
          {isCallingCase(c)
            ? <Sign priority={c.callingPriority} calling />
            : <span class="number quiet">{shortAge(now - nsToMs(c.lastRecordUnixNs))}</span>}
        </button>
      ))}
    </nav>
  );
}
