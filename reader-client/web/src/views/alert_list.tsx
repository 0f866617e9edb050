// The alerts of a case: what was met, how far beyond which limit, since when, on which evidence, and
// what was done about it. Nothing goes away while its condition is present.

import { stopwatch, timeOfDay } from '../base/format.js';
import { acknowledge, act, undoAcknowledge } from '../model/acts.js';
import { actionOf, isAcknowledged, isActive, isCalling, isDone } from '../model/alerts.js';
import type { AlertView } from '../model/alerts.js';
import type { Desk, OpenCase } from '../model/desk.js';
import { alertMessage, conditionWord, evidenceWords, limitWords } from '../model/sentence.js';
import { priorityLook, qualityName, sideWord } from '../model/words.js';
import { paintEvidence } from '../render/trend_painter.js';
import { AlertActionKind, Place } from '../wire/generated/remora/v1/alert_pb.js';
import { MessageKind } from '../wire/generated/remora/v1/message_pb.js';
import { toMicrovolts } from '../wire/samples.js';
import { summaryOf } from './case_header.js';
import { Canvas, cls, Key, Sign } from './parts.js';

// The alert that A and T act on: the first in the list that a reader has not acknowledged, else the
// first that is not done.
export function topAlert(open: OpenCase): AlertView | undefined {
  const all = open.model.alerts.list();
  return firstOpen(all) ?? all.find((a) => !isDone(a));
}

// One that came and went is still to be acknowledged; it only calls no more.
const firstOpen = (all: AlertView[]): AlertView | undefined =>
  all.find((a) => isCalling(a, Place.READER)) ?? all.find((a) => !isAcknowledged(a, Place.READER));

// Acknowledges the top alert, if its evidence can be seen; else brings it into view first.
export function acknowledgeTop(desk: Desk, open: OpenCase): void {
  const top = firstOpen(open.model.alerts.list());
  if (!top) return;
  const card = document.getElementById(cardId(top));
  const box = card?.getBoundingClientRect();
  const list = card?.closest('.alerts')?.getBoundingClientRect();
  if (!card || !box || !list || box.top < list.top - 4 || box.top + 60 > list.bottom) {
    card?.scrollIntoView({ block: 'start' });
    return;
  }
  acknowledge(desk, open, top, Place.READER);
}

// Writes the alert into the draft; a person reads and sends it.
export function tellTeam(desk: Desk, open: OpenCase, alert: AlertView | undefined): void {
  if (!alert) return;
  open.screen.write({
    text: alertMessage(summaryOf(desk, open)?.theatre ?? '', alert),
    kind: MessageKind.ALERT_CARD, urgent: isActive(alert), about: alert.id,
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

const cardId = (a: AlertView): string => `alert-${a.id.replaceAll('/', '-')}`;

export function AlertList({ desk, open }: { desk: Desk; open: OpenCase }) {
  void open.model.alerts.version.value;
  const all = open.model.alerts.list();
  const calling = all.filter((a) => isCalling(a, Place.READER)).length;
  const unseen = all.filter((a) => !isAcknowledged(a, Place.READER)).length;
  const top = topAlert(open);
  return (
    <section class="alerts" aria-label="Alerts">
      <header class="side-head">
        <h2>Alerts</h2>
        <span class="calm">{all.length === 0 ? 'none' : unseen > 0 ? `${unseen} not acknowledged` : 'all acknowledged'}</span>
      </header>
      <p class="unseen" role="alert">
        {calling > 0 && top ? `${priorityLook(top.alert.priority).word} priority: ${top.alert.summary}` : ''}
      </p>
      {all.map((a) => <AlertCard key={a.id} desk={desk} open={open} view={a} top={a === top} />)}
      {all.length === 0 && <p class="calm side-empty">No criterion has been met in this case.</p>}
    </section>
  );
}

function AlertCard({ desk, open, view, top }:
    { desk: Desk; open: OpenCase; view: AlertView; top: boolean }) {
  const { alert } = view;
  const look = priorityLook(alert.priority);
  const calling = isCalling(view, Place.READER);
  const done = isDone(view);
  const theatre = summaryOf(desk, open)?.theatre ?? '';
  const side = sideWord(alert.side);
  const evidence = alert.evidence;
  const trace = toMicrovolts(evidence?.reducedTrace);
  const full = calling || (top && !done);
  return (
    <article id={cardId(view)} class={cls('alert', `alert-${look.css}`, calling && 'alert-calling', !isAcknowledged(view, Place.READER) && 'alert-open',
      !isActive(view) && 'alert-recovered', done && 'alert-done')}>
      <header>
        <Sign priority={alert.priority} calling={calling} />
        <h3>{alert.summary || alert.derivation}</h3>
        <Since desk={desk} atMs={view.raised.atMs} />
      </header>
      <p class="condition">
        <b>{conditionWord(view)}</b> since {timeOfDay(view.raised.atMs, true)}
        {view.latest.unrecorded && <b class="unrecorded"> UNRECORDED</b>}
      </p>
      {full && (
        <>
          {evidenceWords(view) && <p class="evidence-words number">{evidenceWords(view)}</p>}
          <p class="limit">{limitWords(view)}</p>
          {trace.length > 0 && (
            <Canvas desk={desk} class="evidence" label={`Evidence: ${evidenceWords(view)}`}
              paint={(canvas) => paintEvidence(canvas, trace, toMicrovolts(evidence?.reducedBaseline),
                evidence?.reducedFirstSampleMs ?? 0, evidence?.reducedSampleIntervalMs ?? 1)} />
          )}
          {evidence && evidence.acceptedCount > 0 && (
            <p class="facts number">n {evidence.acceptedCount}, noise {evidence.noiseUvRms.toFixed(2)} {'\u00b5'}V
              {evidence.quality.map((q) => ` \u00b7 ${qualityName(q)}`)}</p>
          )}
        </>
      )}
      <History view={view} />
      {open.model.annotations.about(view.id).map((n) => (
        <p key={n.mark.id} class="alert-note">{n.annotation.text} <small>{n.annotation.actor}, {timeOfDay(n.mark.atMs)}</small></p>
      ))}
      {!done && (
        <footer class="buttons">
          {!isAcknowledged(view, Place.READER)
            ? <button class="primary" onClick={() => acknowledge(desk, open, view, Place.READER)}>
                {top && <Key>A</Key>} Acknowledge
              </button>
            : <Undo desk={desk} open={open} view={view} />}
          <button onClick={() => tellTeam(desk, open, view)}>
            {top && <Key>T</Key>} Tell {theatre}{side && ` \u00b7 ${side}`}
          </button>
          <button onClick={() => {
            open.screen.target.value = {
              words: `alert: ${alert.summary}`, about: view.id, traceId: alert.traceId, atLatencyMs: undefined,
            };
          }}>Annotate</button>
          {!isActive(view) && isAcknowledged(view, Place.READER) && (
            <button onClick={() => void act(desk, open, view.id, AlertActionKind.RESOLVED, Place.READER)}>Resolve</button>
          )}
        </footer>
      )}
    </article>
  );
}

function Since({ desk, atMs }: { desk: Desk; atMs: number }) {
  void desk.beat.value;
  return <span class="since number">{stopwatch(desk.hubNow() - atMs)}</span>;
}

function Undo({ desk, open, view }: { desk: Desk; open: OpenCase; view: AlertView }) {
  void desk.beat.value;
  const undoable = open.screen.undoable.value;
  if (!undoable || undoable.alert !== view.id) return null;
  const left = Math.ceil((undoable.untilMs - desk.clock.now()) / 1000);
  if (left <= 0) return null;
  return (
    <button onClick={() => undoAcknowledge(desk, open, Place.READER)}>
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
      {view.actions.map(({ mark, action }) => (
        <li key={mark.id} class={cls(mark.pending && 'pending')}>
          {DONE_WORD[action.kind] ?? 'Noted'} {action.place === Place.THEATRE ? 'in theatre ' : ''}
          by {action.actor}, <span class="number">{timeOfDay(mark.atMs, true)}</span>
          {mark.pending && ' (sending)'}{mark.unrecorded && <b class="unrecorded"> UNRECORDED</b>}
          {action.reason && `: ${action.reason}`}
        </li>
      ))}
      {recovered && <li>Back within limits; stays here until it is resolved.</li>}
    </ul>
  );
}
