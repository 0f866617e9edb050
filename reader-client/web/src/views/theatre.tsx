// The theatre display: who is reading and whether the link is alive, the last message, the open
// alert. To be read at two metres, and touched in gloves.

import { useEffect, useRef } from 'preact/hooks';
import { useSignal } from '@preact/signals';
import { age, ageWithin, timeOfDay } from '../base/format.js';
import { acquisitions, acquisitionWords, responses, responseWords, wouldSee } from '../model/ages.js';
import {
  acknowledge, isMine, MESSAGE_BYTES, say, sendDelivered, sendRead, undoable, undoAcknowledge,
} from '../model/acts.js';
import { acknowledgementOf, isAcknowledged, isActive, isCalling, isDone } from '../model/alerts.js';
import type { AlertView } from '../model/alerts.js';
import { EMPTY_DRAFT } from '../model/case_screen.js';
import type { Desk, OpenCase } from '../model/desk.js';
import { freshness } from '../model/freshness.js';
import type { FreshnessKind } from '../model/freshness.js';
import { readersOf, readerWords } from '../model/people.js';
import type { MessageView } from '../model/talk.js';
import { answersTo, caseToShow, isOpenCase, seenBy, theatreTalk } from '../model/theatre.js';
import { phaseName, sideWord } from '../model/words.js';
import { Place } from '../wire/generated/remora/v1/alert_pb.js';
import type { CaseSummary } from '../wire/generated/remora/v1/directory_pb.js';
import { MessageKind } from '../wire/generated/remora/v1/message_pb.js';
import type { Id } from '../wire/record_id.js';
import { ByteCount, fits } from './byte_count.js';
import { freshnessOf, phaseOf, summaryOf } from './case_header.js';
import { RecordingBanner } from './late.js';
import { LINK_WORD, LostCover } from './link_view.js';
import { cls, Notices, Sign } from './parts.js';
import { ReceiptLine } from './talk.js';
import { inSlots } from './wall.js';

// Answers of the theatre, one touch each.
export const THEATRE_PHRASES = ['Understood', 'Stopping now', 'Correcting', 'Wait', 'MAP raised', 'Please call'];

// The display keeps its theatre over a restart of the browser.
const chosenKey = (desk: Desk): string => `remora-theatre-case-${desk.identity.name}`;

export function Theatre({ desk, sound }: { desk: Desk; sound: preact.ComponentChildren }) {
  const chosen = useSignal<string | undefined>(localStorage.getItem(chosenKey(desk)) ?? undefined);
  const seen = useRef<CaseSummary | undefined>(undefined);
  const all = desk.directory.cases.value;
  const here = chosen.value === undefined ? undefined : all.get(chosen.value);
  if (here) seen.current = here;
  const hex = caseToShow(chosen.value, all, desk.directory.known.value, seen.current !== undefined);
  // Only the case that is shown is open: nothing is delivered, sounded or read anywhere else.
  useEffect(() => {
    for (const open of desk.openCases()) if (open.hex !== hex) desk.close(open.hex);
  }, [hex]);
  const choose = (next: string | undefined) => {
    if (next === undefined) localStorage.removeItem(chosenKey(desk));
    else localStorage.setItem(chosenKey(desk), next);
    seen.current = undefined;
    chosen.value = next;
  };
  if (!hex) return <Choose desk={desk} over={here && !isOpenCase(here) ? here : undefined} onChoose={choose} />;
  return <TheatreCase key={hex} desk={desk} open={desk.open(hex)} sound={sound} onLeave={() => choose(undefined)} />;
}

// Which theatre stands here, only a person knows.
function Choose({ desk, over, onChoose }:
    { desk: Desk; over: CaseSummary | undefined; onChoose: (hex: string) => void }) {
  const cases = inSlots(desk.directory.cases.value).filter(([, c]) => isOpenCase(c));
  return (
    <main class="theatre theatre-choose">
      {over && <p class="over">The case in {over.theatre} is closed{over.procedure && `: ${over.procedure}`}.</p>}
      <h1>{desk.directory.known.value ? (cases.length === 0 ? 'No case is open here.' : 'Which theatre is this?') : 'Asking the hub\u2026'}</h1>
      {cases.map(([id, c]) => (
        <button key={id} class="big" onClick={() => onChoose(id)}>{c.theatre} <small>{c.procedure}</small></button>
      ))}
      <LostCover desk={desk} />
    </main>
  );
}

function TheatreCase({ desk, open, sound, onLeave }:
    { desk: Desk; open: OpenCase; sound: preact.ComponentChildren; onLeave: () => void }) {
  const talk = open.model.talk.version.value;
  useEffect(() => sendDelivered(desk, open), [talk]);
  const c = summaryOf(desk, open);
  const fresh = freshnessHere(desk, open);
  return (
    <main class={cls('theatre', fresh !== 'live' && desk.link.value !== 'connecting' && 'is-stale')}>
      <div>
        <TheatreLink desk={desk} open={open} sound={sound} />
        <RecordingBanner desk={desk} open={open} />
      </div>
      <MessagePanel desk={desk} open={open} />
      <AlertPanel desk={desk} open={open} />
      <footer class="theatre-foot">
        <span>{c?.theatre} {'\u00b7'} {c?.procedure}</span>
        <span>{c ? phaseName(c.phase) : ''}</span>
        <TheatreAges desk={desk} open={open} />
        <button class="plain" onClick={onLeave}>Another theatre</button>
        <span class="calm">Remora adds to the monitoring here and replaces nothing of it.</span>
      </footer>
      <LostCover desk={desk} />
      <Notices desk={desk} />
    </main>
  );
}

// Acquisition and response, which the reader goes by: never merged with the link above.
function TheatreAges({ desk, open }: { desk: Desk; open: OpenCase }) {
  void desk.beat.value;
  void open.model.traces.version.value;
  const now = desk.hubNow();
  const acquired = acquisitionWords(acquisitions(open.model, now),
    wouldSee(freshnessOf(desk, open), open.model));
  const response = responseWords(responses(open.model, phaseOf(desk, open), now));
  return (
    <span class="theatre-ages number">
      {acquired.words ? <b>{acquired.words}</b> : <>Acquisition {ageWithin(acquired.ageMs, desk.clockBoundMs())}</>}
      {response && (response.overdue ? <b>OVERDUE {response.words}</b> : <> {'\u00b7'} {response.words}</>)}
    </span>
  );
}

// Of this page alone: how the agent is, the team sees beside it.
const freshnessHere = (desk: Desk, open: OpenCase): FreshnessKind =>
  freshness(desk.link.value, open.model.ended.value, undefined).kind;

function TheatreLink({ desk, open, sound }: { desk: Desk; open: OpenCase; sound: preact.ComponentChildren }) {
  void desk.beat.value;
  const c = summaryOf(desk, open);
  const readers = c ? readersOf(c) : [];
  const here = readers.find((p) => !p.linkLost);
  const lost = readerWords(readers.filter((p) => p.linkLost), '');
  const phase = freshnessHere(desk, open) === 'ended' ? 'ended' : desk.link.value;
  return (
    <header class={cls('theatre-link', `theatre-link-${phase}`, !here && 'nobody')}>
      <h1>{c?.theatre ?? ''}</h1>
      <p class="who">
        {here ? <><small>Reading now</small> {here.name}{lost && <small>{lost}</small>}</>
          : <><small>Reader</small> {lost || 'Nobody is reading'}</>}
      </p>
      <p class="state"><b>{LINK_WORD[phase]}</b>{' '}
        {phase === 'ended' ? <small>{open.model.ended.value}</small> : <span class="number">{age(desk.linkAgeMs())}</span>}</p>
      {sound}
    </header>
  );
}

// A message that was just seen stays for so long, to be answered.
const ANSWER_MS = 8_000;
const SHOWN_OTHERS = 4;
// What has just come to the front cannot be answered at once: a finger may have been on its way to
// what stood there before.
const SETTLE_MS = 700;

function useSettled(desk: Desk): boolean {
  void desk.beat.value;
  const sinceMs = useRef(desk.clock.now());
  return desk.clock.now() - sinceMs.current >= SETTLE_MS;
}

function MessagePanel({ desk, open }: { desk: Desk; open: OpenCase }) {
  void open.model.talk.version.value;
  void desk.beat.value;
  const stay = useSignal<{ id: Id; untilMs: number } | undefined>(undefined);
  const me = desk.displayName.value;
  const all = open.model.talk.list();
  const staying = stay.value && desk.clock.now() < stay.value.untilMs ? stay.value.id : undefined;
  const { shown, more, others } = theatreTalk(all, me, staying);
  const mineLast = all.findLast((m) => isMine(desk, m));
  const keep = (m: MessageView) => (stay.value = { id: m.mark.id, untilMs: desk.clock.now() + ANSWER_MS });
  return (
    <section class={cls('theatre-message', shown?.message.urgent && !seenBy(shown, me) && 'urgent')} aria-label="Message">
      {shown ? (
        <LastMessage key={shown.mark.id} desk={desk} open={open} message={shown} answers={answersTo(all, shown, me)}
          more={more} onSeen={() => keep(shown)} onNext={() => (stay.value = undefined)} />
      ) : <p class="none">No message from the reader yet.</p>}
      <OwnText desk={desk} open={open} to={shown} />
      {mineLast && (!shown || answersTo([mineLast], shown, me).length === 0) && <AnswerLine view={mineLast} />}
      {others.length > 0 && (
        <ol class="theatre-older" aria-label="Other messages">
          {others.slice(0, SHOWN_OTHERS).map((m) => (
            <li key={m.mark.id} class={cls(!seenBy(m, me) && 'not-seen')}>
              <span class="number">{timeOfDay(m.mark.atMs)}</span> <b>{m.message.sender}</b> {m.message.text}
              <small>{seenBy(m, me) ? 'seen' : m.message.urgent ? 'urgent, not seen' : 'not seen'}</small>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

function LastMessage({ desk, open, message, answers, more, onSeen, onNext }: {
  desk: Desk; open: OpenCase; message: MessageView; answers: MessageView[]; more: number;
  onSeen: () => void; onNext: () => void;
}) {
  void desk.beat.value;
  const settled = useSettled(desk);
  const seen = seenBy(message, desk.displayName.value);
  const markSeen = () => {
    onSeen();
    sendRead(desk, open, message);
  };
  const answer = (text: string) => {
    markSeen();
    void say(desk, open, { ...EMPTY_DRAFT, text, kind: MessageKind.READ_BACK }, message.mark.id);
  };
  return (
    <>
      <p class="from"><b>{message.message.sender}</b>{' '}
        <span class="number">{timeOfDay(message.mark.atMs)}</span>{' '}
        <span class="number ago">{age(desk.hubNow() - message.mark.atMs)} ago</span>
        {message.message.urgent && !seen && <strong> urgent</strong>}
        {message.mark.unrecorded && <em class="more-unseen">not recorded</em>}
        {more > 0 && (seen ? <button class="big next" onClick={onNext}>{more} more unseen: next</button>
          : <em class="more-unseen"> {more} more unseen</em>)}</p>
      <p class="words" role="status">{message.message.text}</p>
      <div class="answers">
        {seen ? <span class="seen">Seen {timeOfDay(seen.mark.atMs, true)}</span>
          : <button class="big seen-button" disabled={!settled} onClick={markSeen}>Seen</button>}
        {THEATRE_PHRASES.map((p) => <button key={p} class="big" disabled={!settled} onClick={() => answer(p)}>{p}</button>)}
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
  // The message that stood there when the text was begun.
  const about = useRef<Id | undefined>(undefined);
  return (
    <form class="own-text" onSubmit={(e) => {
      e.preventDefault();
      const words = text.value.trim();
      if (words === '' || !fits(words, MESSAGE_BYTES)) return;
      void say(desk, open, { ...EMPTY_DRAFT, text: words }, about.current);
      text.value = '';
      field.current?.blur();
    }}>
      <input ref={field} type="text" value={text.value} aria-label="Message to the reader"
        placeholder="Message to the reader" onInput={(e) => {
          if (text.value === '') about.current = to?.mark.id;
          text.value = e.currentTarget.value;
        }} />
      <button type="submit" class="big" disabled={text.value.trim() === '' || !fits(text.value, MESSAGE_BYTES)}>Send to reader</button>
      {text.value !== '' && <ByteCount text={text.value} limit={MESSAGE_BYTES} />}
    </form>
  );
}

function AlertPanel({ desk, open }: { desk: Desk; open: OpenCase }) {
  void open.model.alerts.version.value;
  // What calls here, so that it can be silenced; then the worst whose condition is there. Who has it
  // already is told, and hides nothing.
  const all = open.model.alerts.list().filter((a) => !isDone(a)).sort((a, b) =>
    Number(isCalling(b, Place.THEATRE)) - Number(isCalling(a, Place.THEATRE)) ||
    Number(isActive(b)) - Number(isActive(a)) || b.alert.priority - a.alert.priority);
  const shown = all[0];
  return (
    <section class="theatre-alert" aria-label="Open alert">
      {shown ? <OpenAlert key={shown.id} desk={desk} open={open} view={shown} others={all.slice(1)} />
        : <p class="none">No open alert.</p>}
    </section>
  );
}

function OpenAlert({ desk, open, view, others }:
    { desk: Desk; open: OpenCase; view: AlertView; others: AlertView[] }) {
  void desk.beat.value;
  const settled = useSettled(desk);
  const interpreted = acknowledgementOf(view, Place.READER);
  const here = isAcknowledged(view, Place.THEATRE);
  const more = others.length;
  // The one that was silenced last may no longer be the one in front.
  const silenced = [view, ...others].find((a) => undoable(desk, open, a.id));
  const leftMs = silenced ? undoable(desk, open, silenced.id)!.untilMs - desk.clock.now() : 0;
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
        Called <span class="number">{age(desk.hubNow() - view.called.atMs)}</span> ago.
        {!isActive(view) && ' Back within limits.'}
        {more > 0 && ` ${more} more ${more === 1 ? 'alert' : 'alerts'}.`}
      </p>
      <div class="alert-buttons">
        {!here && (
          <button class="big" disabled={!settled} onClick={() => void acknowledge(desk, open, view, Place.THEATRE)}>Silence here</button>
        )}
        {silenced && (
          <button class="big" onClick={() => void undoAcknowledge(desk, open, silenced, Place.THEATRE)}>
            Undo{silenced !== view && ' the one before'} {Math.ceil(leftMs / 1000)} s
          </button>
        )}
      </div>
    </>
  );
}
