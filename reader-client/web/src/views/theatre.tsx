// The theatre display: who is reading and whether the link is alive, the last message, the open
// alert. To be read at two metres, and touched in gloves.

import { useEffect, useRef } from 'preact/hooks';
import { useSignal } from '@preact/signals';
import { age, timeOfDay } from '../base/format.js';
import { acknowledge, isMine, say, sendDelivered, sendRead, undoAcknowledge } from '../model/acts.js';
import { isAcknowledged, isActive, isDone } from '../model/alerts.js';
import type { AlertView } from '../model/alerts.js';
import { EMPTY_DRAFT } from '../model/case_screen.js';
import type { Desk, OpenCase } from '../model/desk.js';
import { readBy } from '../model/talk.js';
import type { MessageView } from '../model/talk.js';
import { phaseName, sideWord } from '../model/words.js';
import { Place } from '../wire/generated/remora/v1/alert_pb.js';
import { CaseStage, Role } from '../wire/generated/remora/v1/case_pb.js';
import { MessageKind } from '../wire/generated/remora/v1/message_pb.js';
import { summaryOf } from './case_header.js';
import { LINK_WORD, LostCover } from './link_view.js';
import { cls, Notices, Sign } from './parts.js';
import { ReceiptLine } from './talk.js';
import { inSlots, personOf } from './wall.js';

// Answers of the theatre, one touch each.
export const THEATRE_PHRASES = ['Understood', 'Stopping now', 'Correcting', 'Wait', 'MAP raised', 'Please call'];

const OPEN_STAGES = [CaseStage.OPEN, CaseStage.CLOSING];

export function Theatre({ desk, sound }: { desk: Desk; sound: preact.ComponentChildren }) {
  const chosen = useSignal<string | undefined>(undefined);
  const cases = inSlots(desk.directory.cases.value).filter(([, c]) => OPEN_STAGES.includes(c.stage));
  const only = cases.length === 1 ? cases[0]![0] : undefined;
  const hex = cases.some(([id]) => id === chosen.value) ? chosen.value : only;
  if (!hex) {
    return (
      <main class="theatre theatre-choose">
        <h1>{desk.directory.known.value ? (cases.length === 0 ? 'No case is open here.' : 'Which theatre is this?') : 'Asking the hub\u2026'}</h1>
        {cases.map(([id, c]) => (
          <button key={id} class="big" onClick={() => (chosen.value = id)}>{c.theatre} <small>{c.procedure}</small></button>
        ))}
        <LostCover desk={desk} />
      </main>
    );
  }
  return <TheatreCase desk={desk} open={desk.open(hex)} sound={sound} />;
}

function TheatreCase({ desk, open, sound }: { desk: Desk; open: OpenCase; sound: preact.ComponentChildren }) {
  const talk = open.model.talk.version.value;
  useEffect(() => sendDelivered(desk, open), [talk]);
  const c = summaryOf(desk, open);
  return (
    <main class={cls('theatre', desk.link.value !== 'live' && desk.link.value !== 'connecting' && 'is-stale')}>
      <TheatreLink desk={desk} open={open} sound={sound} />
      <MessagePanel desk={desk} open={open} />
      <AlertPanel desk={desk} open={open} />
      <footer class="theatre-foot">
        <span>{c?.theatre} {'\u00b7'} {c?.procedure}</span>
        <span>{c ? phaseName(c.phase) : ''}</span>
        <span class="calm">Remora adds to the monitoring here and replaces nothing of it.</span>
      </footer>
      <LostCover desk={desk} />
      <Notices desk={desk} />
    </main>
  );
}

function TheatreLink({ desk, open, sound }: { desk: Desk; open: OpenCase; sound: preact.ComponentChildren }) {
  void desk.beat.value;
  const c = summaryOf(desk, open);
  const reader = c && personOf(c, Role.NEUROPHYSIOLOGIST);
  const phase = desk.link.value;
  return (
    <header class={cls('theatre-link', `theatre-link-${phase}`, !reader && 'nobody')}>
      <h1>{c?.theatre ?? ''}</h1>
      <p class="who">
        {reader ? <><small>Reading now</small> {reader}</> : <><small>Reader</small> Nobody is reading</>}
      </p>
      <p class="state"><b>{LINK_WORD[phase]}</b> <span class="number">{age(desk.linkAgeMs())}</span></p>
      {sound}
    </header>
  );
}

function MessagePanel({ desk, open }: { desk: Desk; open: OpenCase }) {
  void open.model.talk.version.value;
  const all = open.model.talk.list();
  const last = all.findLast((m) => !isMine(desk, m) && m.message.kind !== MessageKind.SYSTEM);
  const answers = last ? all.filter((m) => isMine(desk, m) && m.mark.atMs >= last.mark.atMs) : [];
  const mineLast = all.findLast((m) => isMine(desk, m));
  return (
    <section class={cls('theatre-message', last?.message.urgent && 'urgent')} aria-label="Last message">
      {last ? <LastMessage desk={desk} open={open} message={last} answers={answers} />
        : <p class="none">No message from the reader yet.</p>}
      <OwnText desk={desk} open={open} to={last} />
      {!last && mineLast && <AnswerLine view={mineLast} />}
    </section>
  );
}

function LastMessage({ desk, open, message, answers }:
    { desk: Desk; open: OpenCase; message: MessageView; answers: MessageView[] }) {
  void desk.beat.value;
  const me = desk.displayName.value;
  const seen = readBy(message).find((r) => r.recipient === me);
  const answer = (text: string) => {
    sendRead(desk, open, message);
    void say(desk, open, { ...EMPTY_DRAFT, text, kind: MessageKind.READ_BACK }, message.mark.id);
  };
  return (
    <>
      <p class="from"><b>{message.message.sender}</b>{' '}
        <span class="number">{timeOfDay(message.mark.atMs)}</span>{' '}
        <span class="number ago">{age(desk.hubNow() - message.mark.atMs)} ago</span>
        {message.message.urgent && !seen && <strong> urgent</strong>}</p>
      <p class="words" role="status">{message.message.text}</p>
      <div class="answers">
        {seen ? <span class="seen">Seen {timeOfDay(seen.mark.atMs, true)}</span>
          : <button class="big seen-button" onClick={() => sendRead(desk, open, message)}>Seen</button>}
        {THEATRE_PHRASES.map((p) => <button key={p} class="big" onClick={() => answer(p)}>{p}</button>)}
      </div>
      {answers.slice(-2).map((a) => <AnswerLine key={a.mark.id} view={a} />)}
    </>
  );
}

function AnswerLine({ view }: { view: MessageView }) {
  return <div class="answered"><p>You answered: <b>{view.message.text}</b></p><ReceiptLine view={view} /></div>;
}

function OwnText({ desk, open, to }: { desk: Desk; open: OpenCase; to: MessageView | undefined }) {
  const text = useSignal('');
  const field = useRef<HTMLInputElement>(null);
  return (
    <form class="own-text" onSubmit={(e) => {
      e.preventDefault();
      const words = text.value.trim();
      if (words === '') return;
      void say(desk, open, { ...EMPTY_DRAFT, text: words }, to?.mark.id);
      text.value = '';
      field.current?.blur();
    }}>
      <input ref={field} type="text" value={text.value} maxLength={1900} aria-label="Message to the reader"
        placeholder="Message to the reader" onInput={(e) => (text.value = e.currentTarget.value)} />
      <button type="submit" class="big" disabled={text.value.trim() === ''}>Send to reader</button>
    </form>
  );
}

function AlertPanel({ desk, open }: { desk: Desk; open: OpenCase }) {
  void open.model.alerts.version.value;
  // The worst whose condition is there; who has it already is told, and hides nothing.
  const all = open.model.alerts.list().filter((a) => !isDone(a)).sort((a, b) =>
    Number(isActive(b)) - Number(isActive(a)) || b.alert.priority - a.alert.priority);
  const shown = all[0];
  return (
    <section class="theatre-alert" aria-label="Open alert">
      {shown ? <OpenAlert desk={desk} open={open} view={shown} more={all.length - 1} />
        : <p class="none">No open alert.</p>}
    </section>
  );
}

function OpenAlert({ desk, open, view, more }: { desk: Desk; open: OpenCase; view: AlertView; more: number }) {
  void desk.beat.value;
  const interpreted = view.actions.find((v) => v.action.place === Place.READER);
  const here = isAcknowledged(view, Place.THEATRE);
  const undoable = open.screen.undoable.value;
  const left = undoable?.alert === view.id ? Math.ceil((undoable.untilMs - desk.clock.now()) / 1000) : 0;
  return (
    <>
      <p class="headline">
        <Sign priority={view.alert.priority} calling={!here} />
        <b>{sideWord(view.alert.side)}</b> {view.alert.summary}
      </p>
      <p class="interpretation">
        {interpreted
          ? <>The reader, <b>{interpreted.action.actor}</b>, has it since {timeOfDay(interpreted.mark.atMs)}.</>
          : <b>Not yet interpreted.</b>}{' '}
        Raised <span class="number">{age(desk.hubNow() - view.raised.atMs)}</span> ago.
        {!isActive(view) && ' Back within limits.'}
        {more > 0 && ` ${more} more ${more === 1 ? 'alert' : 'alerts'}.`}
      </p>
      {!here && <button class="big" onClick={() => acknowledge(desk, open, view, Place.THEATRE)}>Silence here</button>}
      {here && left > 0 && (
        <button class="big" onClick={() => undoAcknowledge(desk, open, Place.THEATRE)}>Undo {left} s</button>
      )}
    </>
  );
}
