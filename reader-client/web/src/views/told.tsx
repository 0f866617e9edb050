// What was told or measured beside traces: the newest of each in a line, and how old it is; then what happened.

import { useEffect } from 'preact/hooks';
import { shortAge, timeOfDay } from '../base/format.js';
import type { Desk, OpenCase } from '../model/desk.js';
import { electrodeWords } from '../model/told.js';
import type { Looking, ToldBook, ToldEvent, ToldView } from '../model/told.js';
import type { ToldKind } from '../model/told_words.js';

const TITLE: Record<ToldKind, string> = {
  position: 'Position', drug: 'Drugs', vital: 'Vital signs', tof: 'TOF', eeg: 'EEG', threshold: 'Thresholds', map: 'Maps',
  relation: 'Relations', stimulus: 'Stimuli', impedance: 'Impedances',
};
// Of each kind the newest so many have a line.
const SHOWN = 12;
const SHOWN_EVENTS = 20;

// What becomes of what was told before.
const LOOKING: Record<Looking, string> = {
  no: '', now: ', looking further back', later: ', further back is asked for later', refused: ', the hub refused what is further back',
};

// Letter of an event on the time line; the words stand in the list and in its title.
export const TOLD_LETTER: Record<ToldKind, string> = {
  position: 'P', drug: 'D', vital: 'V', tof: 'T', eeg: 'E', threshold: 'Th', map: 'M', relation: 'R', stimulus: 'S', impedance: 'I',
};

export const eventWords = (e: ToldEvent): string =>
  `${TITLE[e.kind]}: ${e.text}, ${timeOfDay(e.atMs, true)}${e.mark.unrecorded ? ', NOT RECORDED' : ''}`;

export function ToldPanel({ desk, open }: { desk: Desk; open: OpenCase }) {
  const { told } = open.model;
  // What was told before this page came is fetched for who looks at it.
  useEffect(() => open.model.toldFetch?.look(), [open]);
  void told.version.value;
  const kinds = told.kinds();
  const isMissing = told.sinceMs > 0 && (told.looking === 'refused' || told.looking === 'later');
  if (kinds.length === 0 && !isMissing) return null;
  const events = told.events().slice(-SHOWN_EVENTS).reverse();
  return (
    <section class="told" aria-label="Beside the traces" tabIndex={0}>
      <header class="side-head"><h2>Beside the traces</h2>
        {told.sinceMs > 0 && (
          <span class="calm">told since <span class="number">{timeOfDay(told.sinceMs)}</span>{LOOKING[told.looking]}</span>
        )}
      </header>
      {kinds.length > 0 && (
        <dl>
          {kinds.map((kind) => (
            <div key={kind}>
              <dt>{TITLE[kind]}</dt>
              <Lines desk={desk} told={told} kind={kind} />
            </div>
          ))}
        </dl>
      )}
      {events.length > 0 && (
        <ul aria-label="What happened beside the traces">
          {events.map((e) => (
            <li key={e.id}>
              <span class="number">{timeOfDay(e.atMs)}</span> {e.text}
              {e.mark.unrecorded && <b class="unrecorded"> NOT RECORDED</b>}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Lines({ desk, told, kind }: { desk: Desk; told: ToldBook; kind: ToldKind }) {
  void desk.beat.value;
  const all = told.list(kind);
  const now = desk.hubNow();
  const newest = [...all].sort((a, b) => b.atMs - a.atMs);
  // The newest, and each at its place.
  const shown = new Set(newest.slice(0, SHOWN));
  const doubts = (v: ToldView, group = [v]) => (
    <>
      {v.mark.unrecorded && <b class="unrecorded"> NOT RECORDED</b>}
      {group.some((of) => told.mayBeReplaced(of)) && <small>, newer may be on record</small>}
    </>
  );
  if (kind === 'impedance') {
    return <dd>{electrodeWords(all)} <small class="number">{shortAge(now - newest[0]!.atMs)} ago</small>{doubts(newest[0]!, all)}</dd>;
  }
  return (
    <>
      {all.filter((v) => shown.has(v)).map((v) => (
        <dd key={`${v.mark.id} ${v.text}`}>{v.text} <small class="number">{shortAge(now - v.atMs)} ago</small>{doubts(v)}</dd>
      ))}
      {newest.length > SHOWN && <dd class="calm">and {newest.length - SHOWN} more</dd>}
    </>
  );
}
