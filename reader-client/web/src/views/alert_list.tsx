// The alerts of a case: what was met, how far beyond which limit, since when, on which evidence, and
// what was done about it. Nothing goes away while its condition is present.

import { useEffect, useRef } from 'preact/hooks';
import { useSignal } from '@preact/signals';
import { stopwatch, timeOfDay } from '../base/format.js';
import { acknowledge, act, asSeen, undoable, undoAcknowledge } from '../model/acts.js';
import { actionOf, firstToTell, isAcknowledged, isActive, isCalling, isDone, keepOrder } from '../model/alerts.js';
import type { AlertView } from '../model/alerts.js';
import type { Desk, OpenCase } from '../model/desk.js';
import { isInside } from '../model/looked.js';
import { alertMessage, conditionWord, evidenceWords, limitWords } from '../model/sentence.js';
import { priorityLook, qualityName, sideWord } from '../model/words.js';
import { paintEvidence } from '../render/trend_painter.js';
import { AlertActionKind, Place } from '../wire/generated/remora/v1/alert_pb.js';
import { MessageKind } from '../wire/generated/remora/v1/message_pb.js';
import type { Id } from '../wire/record_id.js';
import { toMicrovolts } from '../wire/samples.js';
import { summaryOf } from './case_header.js';
import { Canvas, cls, Key, Sign } from './parts.js';
import { Causes } from './causes.js';
import { Requests } from './requests.js';
import { areaOf, extentOf } from './seen.js';

// What T writes to the team: see firstToTell; where all has been told, the first that is not done.
export function alertToTell(open: OpenCase): AlertView | undefined {
  const all = open.model.alerts.list();
  return firstToTell(all) ?? firstOpen(all) ?? all.find((a) => !isDone(a));
}

// One that came and went is still to be acknowledged; it only calls no more.
const firstOpen = (all: AlertView[]): AlertView | undefined =>
  all.find((a) => isCalling(a, Place.READER)) ?? all.find((a) => !isAcknowledged(a, Place.READER));

// Its evidence has stood before somebody for so long before a key acknowledges it.
const LOOKED_AT_MS = 1_000;

// Of one call: what calls again is to be looked at again.
const lookedKey = (a: AlertView): string => `${a.id} ${a.called.id}`;

// Acknowledges the top alert, if its evidence was looked at; else brings it into view first.
export function acknowledgeTop(desk: Desk, open: OpenCase): void {
  const top = firstOpen(open.model.alerts.list());
  if (!top) return;
  if (open.screen.looked.forMs(lookedKey(top), desk.clock.now()) < LOOKED_AT_MS) bringIntoView(top);
  else void acknowledge(desk, open, top, Place.READER);
}

// A button is pressed by somebody who looks; only what is out of sight is brought into it first.
function acknowledgeSeen(desk: Desk, open: OpenCase, view: AlertView): void {
  const card = document.getElementById(cardId(view));
  const list = card?.closest('.alerts');
  if (!list || !evidenceInside(card!, list)) bringIntoView(view);
  else void acknowledge(desk, open, view, Place.READER);
}

const bringIntoView = (a: AlertView): void =>
  document.getElementById(cardId(a))?.querySelector('.evidence-box')?.scrollIntoView({ block: 'nearest' });

function evidenceInside(card: Element, list: Element): boolean {
  const box = card.querySelector('.evidence-box');
  const head = list.querySelector('.side-head');
  return box !== null && isInside(extentOf(box), areaOf(list, head?.getBoundingClientRect().height ?? 0));
}

// Notes with each beat whose evidence can be seen.
function useLooked(desk: Desk, open: OpenCase, list: { current: HTMLElement | null }, all: AlertView[]): void {
  const beat = desk.beat.value;
  useEffect(() => {
    const place = list.current;
    const seen = place && !document.hidden ? all.filter((a) => {
      const card = document.getElementById(cardId(a));
      return card && evidenceInside(card, place);
    }) : [];
    open.screen.looked.update(seen.map(lookedKey), desk.clock.now());
  }, [beat]);
}

// Writes the alert into the draft; a person reads and sends it.
export function tellTeam(desk: Desk, open: OpenCase, alert: AlertView | undefined): void {
  if (!alert) return;
  open.screen.write({
    text: alertMessage(summaryOf(desk, open)?.theatre ?? '', alert),
    kind: MessageKind.ALERT_CARD, urgent: isActive(alert), about: alert.id, seen: alert.latest.id,
  });
  focusCompose();
}

export function focusCompose(): void {
  requestAnimationFrame(() => {
    const field = document.querySelector<HTMLTextAreaElement>('.compose textarea');
    field?.focus();
    field?.setSelectionRange(field.value.length, field.value.length);
  });
}

// When it called; what is back within limits is so since its newest record.
const sinceMs = (a: AlertView): number => (isActive(a) ? a.called : a.latest).atMs;

const cardId = (a: AlertView): string => `alert-${a.id.replaceAll('/', '-')}`;

export function AlertList({ desk, open }: { desk: Desk; open: OpenCase }) {
  void open.model.alerts.version.value;
  const all = open.model.alerts.list();
  const list = useRef<HTMLElement>(null);
  const pointedAt = useSignal({ pointer: false, focus: false });
  const order = useRef<readonly Id[]>([]);
  const pointed = pointedAt.value.pointer || pointedAt.value.focus;
  const wanted = all.map((a) => a.id);
  order.current = keepOrder(order.current, wanted, pointed);
  const waits = order.current.some((id, i) => id !== wanted[i]);
  const shown = order.current.map((id) => open.model.alerts.get(id)!);
  useLooked(desk, open, list, all);
  const point = (more: { pointer?: boolean; focus?: boolean }) => (pointedAt.value = { ...pointedAt.value, ...more });
  const calling = all.filter((a) => isCalling(a, Place.READER)).length;
  const unseen = all.filter((a) => !isAcknowledged(a, Place.READER)).length;
  const top = firstOpen(all) ?? all.find((a) => !isDone(a));
  const next = alertToTell(open);
  return (
    <section ref={list} class="alerts" aria-label="Alerts"
      onPointerEnter={() => point({ pointer: true })} onPointerLeave={() => point({ pointer: false })}
      onFocusIn={() => point({ focus: true })} onFocusOut={() => point({ focus: false })}>
      <header class="side-head">
        <h2>Alerts</h2>
        <span class="calm">{all.length === 0 ? 'none' : unseen > 0 ? `${unseen} not acknowledged` : 'all acknowledged'}</span>
        {waits && <button class="plain" onClick={() => point({ pointer: false, focus: false })}>New order: show</button>}
      </header>
      <p class="unseen" role="alert">
        {calling > 0 && top ? `${priorityLook(top.alert.priority).word} priority: ${top.alert.summary}` : ''}
      </p>
      <Requests desk={desk} open={open} />
      {shown.map((a) => <AlertCard key={a.id} desk={desk} open={open} view={a} top={a === top} next={a === next} pointed={pointed} />)}
      {all.length === 0 && <p class="calm side-empty">No criterion has been met in this case.</p>}
    </section>
  );
}

function AlertCard({ desk, open, view, top, next, pointed }:
    { desk: Desk; open: OpenCase; view: AlertView; top: boolean; next: boolean; pointed: boolean }) {
  const { alert } = view;
  const look = priorityLook(alert.priority);
  const calling = isCalling(view, Place.READER);
  const done = isDone(view);
  const theatre = summaryOf(desk, open)?.theatre ?? '';
  const side = sideWord(alert.side);
  const evidence = alert.evidence;
  const trace = toMicrovolts(evidence?.reducedTrace);
  const acknowledged = isAcknowledged(view, Place.READER);
  // What can be acknowledged shows what for; a card does not shrink under somebody's pointer.
  const wasFull = useRef(false);
  const full = !acknowledged || (top && !done) || (pointed && wasFull.current);
  wasFull.current = full;
  return (
    <article id={cardId(view)} class={cls('alert', `alert-${look.css}`, calling && 'alert-calling', !acknowledged && 'alert-open',
      !isActive(view) && 'alert-recovered', done && 'alert-done')}>
      <header>
        <Sign priority={alert.priority} calling={calling} />
        <h3>{alert.summary || alert.derivation}</h3>
        <Since desk={desk} atMs={view.called.atMs} />
      </header>
      <p class="condition">
        <b>{conditionWord(view)}</b> since {timeOfDay(sinceMs(view), true)}
        {view.latest.unrecorded && <b class="unrecorded"> NOT RECORDED</b>}
      </p>
      {alert.held && <p class="held"><b>NOT INTERPRETABLE:</b> {alert.held}. It stays as it was.</p>}
      {full && (
        <div class="evidence-box">
          {evidenceWords(view) && <p class="evidence-words number">{evidenceWords(view)}</p>}
          <p class="limit">{limitWords(view)}</p>
          {alert.traces.length > 1 && (
            <ul class="alert-traces">{alert.traces.map((t) => <li key={t.traceId}>{t.summary}</li>)}</ul>
          )}
          {trace.length > 0 && (
            <Canvas desk={desk} class="evidence" label={`Evidence: ${evidenceWords(view)}`}
              paint={(canvas) => paintEvidence(canvas, trace, toMicrovolts(evidence?.reducedBaseline),
                evidence?.reducedFirstSampleMs ?? 0, evidence?.reducedSampleIntervalMs ?? 1)} />
          )}
          {evidence && evidence.acceptedCount > 0 && (
            <p class="facts number">n {evidence.acceptedCount}, noise {evidence.noiseUvRms.toFixed(2)} {'\u00b5'}V
              {evidence.quality.map((q) => ` \u00b7 ${qualityName(q)}`)}</p>
          )}
        </div>
      )}
      <History view={view} />
      {open.model.annotations.about(view.id).map((n) => (
        <p key={n.mark.id} class="alert-note">{n.annotation.text} <small>{n.annotation.actor}, {timeOfDay(n.mark.atMs)}</small></p>
      ))}
      {!done && (
        <footer class="buttons">
          {!acknowledged
            ? <button class="primary" onClick={() => acknowledgeSeen(desk, open, view)}>
                {top && <Key>A</Key>} Acknowledge
              </button>
            : <Undo desk={desk} open={open} view={view} />}
          <button onClick={() => tellTeam(desk, open, view)}>
            {next && <Key>T</Key>} Tell {theatre}{side && ` \u00b7 ${side}`}
          </button>
          <button onClick={() => {
            open.screen.target.value = {
              words: `alert: ${alert.summary}`, about: view.id, traceId: alert.traceId, atLatencyMs: undefined,
            };
          }}>Annotate</button>
          {!isActive(view) && acknowledged && (
            <button onClick={() => void act(desk, open, asSeen(view), AlertActionKind.RESOLVED, Place.READER)}>Resolve</button>
          )}
        </footer>
      )}
      {full && <Causes desk={desk} open={open} view={view} />}
    </article>
  );
}

function Since({ desk, atMs }: { desk: Desk; atMs: number }) {
  void desk.beat.value;
  return <span class="since number">{stopwatch(desk.hubNow() - atMs)}</span>;
}

function Undo({ desk, open, view }: { desk: Desk; open: OpenCase; view: AlertView }) {
  void desk.beat.value;
  const found = undoable(desk, open, view.id);
  if (!found) return null;
  const left = Math.ceil((found.untilMs - desk.clock.now()) / 1000);
  return (
    <button onClick={() => void undoAcknowledge(desk, open, view, Place.READER)}>
      Undo <span class="number">{left} s</span>
    </button>
  );
}

const DONE_WORD: Partial<Record<AlertActionKind, string>> = {
  [AlertActionKind.SEEN]: 'Seen', [AlertActionKind.ACKNOWLEDGED]: 'Acknowledged',
  [AlertActionKind.COMMUNICATED]: 'Team told', [AlertActionKind.READ_BACK]: 'Read back',
  [AlertActionKind.ACTED]: 'Acted on', [AlertActionKind.RESOLVED]: 'Resolved', [AlertActionKind.DISMISSED]: 'Dismissed',
};

function History({ view }: { view: AlertView }) {
  if (view.actions.length === 0 && isActive(view)) return null;
  const recovered = !isActive(view) && actionOf(view, AlertActionKind.RESOLVED) === undefined;
  return (
    <ul class="history">
      {view.actions.map(({ mark, action, holds }) => (
        <li key={mark.id} class={cls(mark.pending && 'pending', !holds && 'past')}>
          {DONE_WORD[action.kind] ?? 'Noted'} {action.place === Place.THEATRE ? 'in theatre ' : ''}
          by {action.actor}, <span class="number">{timeOfDay(mark.atMs, true)}</span>
          {mark.pending && ' (sending)'}{mark.unrecorded && <b class="unrecorded"> NOT RECORDED</b>}
          {action.reason && `: ${action.reason}`}
          {!holds && ', before it called again'}
        </li>
      ))}
      {recovered && <li>Back within limits; stays here until it is resolved.</li>}
    </ul>
  );
}
