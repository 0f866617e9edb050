// Messages between reader and theatre, with who got and who read them, and the field to write one.

import { useEffect, useRef } from 'preact/hooks';
import { timeOfDay } from '../base/format.js';
import { isMine, MESSAGE_BYTES, sendDraft, sendRead } from '../model/acts.js';
import type { Desk, OpenCase } from '../model/desk.js';
import { isInside, Looked } from '../model/looked.js';
import { deliveredTo, readBy } from '../model/talk.js';
import type { MessageView } from '../model/talk.js';
import { sideWord } from '../model/words.js';
import { idFrom } from '../wire/record_id.js';
import { MessageKind } from '../wire/generated/remora/v1/message_pb.js';
import { ByteCount, fits } from './byte_count.js';
import { summaryOf } from './case_header.js';
import { cls, Key } from './parts.js';
import { areaOf, extentOf } from './seen.js';

// Ready phrases of a reader. The theatre's name is put in when one is chosen.
export const READER_PHRASES = [
  'Responses are stable.',
  'Please check the electrodes and the stimulator.',
  'What is the mean arterial pressure now?',
  'Which drug was changed in the last minutes?',
  'Please pause; I am looking at it.',
  'Responses are back within limits.',
];

export function Talk({ desk, open }: { desk: Desk; open: OpenCase }) {
  void open.model.talk.version.value;
  const list = useRef<HTMLOListElement>(null);
  const all = open.model.talk.list();
  const theatre = summaryOf(desk, open)?.theatre ?? '';
  const newest = all[all.length - 1]?.mark.id;
  useEffect(() => {
    if (list.current) list.current.scrollTop = list.current.scrollHeight;
  }, [newest]);
  useReadWhenSeen(desk, open, list, all);
  return (
    <section class="talk" aria-label="Messages">
      <header class="side-head">
        <h2>Messages</h2> <span class="calm">{theatre}</span>
      </header>
      <ol class="messages" ref={list} tabIndex={0} aria-label={`Messages with ${theatre}`}>
        {all.map((m) => <MessageLine key={m.mark.id} desk={desk} open={open} view={m} />)}
        {all.length === 0 && <li class="calm">Nothing has been said yet.</li>}
      </ol>
      <Compose desk={desk} open={open} theatre={theatre} />
    </section>
  );
}

// Whoever touched pointer or key within this is taken to be looking.
const PRESENT_MS = 5_000;
const READ_AFTER_MS = 1_000;

// Read is what stood wholly in the box, in a focused window, while somebody was at it.
function useReadWhenSeen(
  desk: Desk, open: OpenCase, list: { current: HTMLOListElement | null }, all: MessageView[]): void {
  const beat = desk.beat.value;
  const looked = useRef(new Looked());
  useEffect(() => {
    const box = list.current;
    const now = desk.clock.now();
    const looking = box && !document.hidden && document.hasFocus() && desk.presence.within(PRESENT_MS);
    const area = looking ? areaOf(box) : undefined;
    const lines = area ? [...box!.querySelectorAll<HTMLElement>('li[data-id]')] : [];
    looked.current.update(
      lines.filter((line) => isInside(extentOf(line), area!)).map((line) => line.dataset['id']!), now);
    for (const m of all) {
      if (!isMine(desk, m) && !m.mark.pending && looked.current.forMs(m.mark.id, now) >= READ_AFTER_MS) sendRead(desk, open, m);
    }
  }, [beat]);
}

function MessageLine({ desk, open, view }: { desk: Desk; open: OpenCase; view: MessageView }) {
  const { message, mark } = view;
  const mine = isMine(desk, view);
  const answered = idFrom(message.inReplyTo);
  const original = answered ? open.model.talk.get(answered) : undefined;
  return (
    <li data-id={mark.id} class={cls('message', mine ? 'mine' : 'theirs', message.urgent && 'urgent')}>
      <p class="meta">
        <b>{mine ? 'You' : message.sender}</b> <span class="number">{timeOfDay(mark.atMs, true)}</span>
        {message.kind === MessageKind.READ_BACK && <em> read back</em>}
        {message.urgent && <em> urgent</em>}
      </p>
      {original && <p class="quote">{original.message.text}</p>}
      <p class="text">{message.text}</p>
      {mine && <ReceiptLine view={view} />}
      {mark.unrecorded && <b class="unrecorded">NOT RECORDED</b>}
    </li>
  );
}

// What became of a message of one's own: kept here, on record, delivered, read.
export function ReceiptLine({ view }: { view: MessageView }) {
  const read = readBy(view);
  const delivered = deliveredTo(view).filter((d) => !read.some((r) => r.recipient === d.recipient));
  return (
    <p class="receipts">
      {view.mark.pending ? <span class="pending">Kept here, on its way</span> : !view.mark.unrecorded && <span>On record</span>}
      {delivered.map((r) => (
        <span key={r.mark.id}>Delivered to {r.recipient} <i class="number">{timeOfDay(r.mark.atMs, true)}</i></span>
      ))}
      {read.map((r) => (
        <span key={r.mark.id} class="read">Read by {r.recipient} <i class="number">{timeOfDay(r.mark.atMs, true)}</i></span>
      ))}
    </p>
  );
}

function Compose({ desk, open, theatre }: { desk: Desk; open: OpenCase; theatre: string }) {
  const draft = open.screen.draft.value;
  const refused = desk.whyNotAllowed(open.hex);
  const notNow = desk.whyNotNow(open.hex);
  const side = draft.about ? sideWord(open.model.alerts.get(draft.about)?.alert.side ?? 0) : '';
  const send = () => void sendDraft(desk, open);
  return (
    <form class="compose" onSubmit={(e) => {
      e.preventDefault();
      send();
    }}>
      {draft.about && (
        <p class="about">about an alert{' '}
          <button type="button" class="plain" onClick={() => open.screen.write({ about: undefined, seen: undefined, kind: MessageKind.CHAT })}>
            Remove
          </button></p>
      )}
      <div class="phrases" role="group" aria-label="Phrases">
        {READER_PHRASES.map((p) => (
          <button key={p} type="button" class="phrase" onClick={() => open.screen.write({ text: `${theatre}: ${p}` })}>{p}</button>
        ))}
      </div>
      <textarea rows={3} value={draft.text} placeholder={`Message to ${theatre}`} aria-label={`Message to ${theatre}`}
        onInput={(e) => open.screen.write({ text: e.currentTarget.value })}
        onKeyDown={(e) => {
          if (e.key === 'Enter' && !e.shiftKey && !e.isComposing) {
            e.preventDefault();
            send();
          }
          if (e.key === 'Escape') e.currentTarget.blur();
        }} />
      <div class="compose-foot">
        <label><input type="checkbox" checked={draft.urgent}
          onChange={(e) => open.screen.write({ urgent: e.currentTarget.checked })} /> Urgent</label>
        <ByteCount text={draft.text} limit={MESSAGE_BYTES} />
        <button type="submit" class="primary" disabled={draft.text.trim() === '' || !fits(draft.text, MESSAGE_BYTES)}>
          Send to {theatre}{side && ` \u00b7 ${side}`} <Key>Enter</Key>
        </button>
      </div>
      {refused && <p class="refused" role="alert">The hub does not let you write here: {refused}</p>}
      {!refused && notNow && <p class="pending" role="status">Write on: it is kept here and offered again until it is on record. {notNow}</p>}
    </form>
  );
}
