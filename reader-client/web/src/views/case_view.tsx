// One case: identity and freshness on top, modalities on the left, evidence in the middle, alerts
// and talk on the right, time along the bottom.

import { useEffect } from 'preact/hooks';
import { oldest, responses } from '../model/ages.js';
import { sendDelivered } from '../model/acts.js';
import type { Desk, OpenCase } from '../model/desk.js';
import { stalest } from '../model/emg.js';
import { caseSentence } from '../model/sentence.js';
import { nameOf, sidedName } from '../model/trace_names.js';
import { activityWord, modalityName, priorityLook, sided, stateLook } from '../model/words.js';
import { isActive } from '../model/alerts.js';
import { age, shortAge } from '../base/format.js';
import { MeasurementState } from '../wire/generated/remora/v1/measurement_pb.js';
import { Modality } from '../wire/generated/remora/v1/waveform_pb.js';
import { AlertList } from './alert_list.js';
import { CaseHeader, freshnessOf, isOverHere, phaseOf, summaryOf } from './case_header.js';
import { Closing } from './closing.js';
import { EmgPane } from './emg_pane.js';
import { LateStrips, RecordingBanner } from './late.js';
import { LINK_WORD } from './link_view.js';
import { Notes } from './notes.js';
import { isEmg } from './pane_frame.js';
import { cls, Notices } from './parts.js';
import { SweepPane } from './sweep_pane.js';
import { Talk } from './talk.js';
import { ToldPanel } from './told.js';
import { TimeLine, TrendsPane } from './trends_pane.js';
import { UnsentHere } from './unsent.js';
import { OtherCases } from './wall.js';

// What the case has, in the order of the rail.
export function modalitiesOf(open: OpenCase): Modality[] {
  void open.model.traces.version.value;
  void open.model.emg.channelsVersion.value;
  const found = new Set(open.model.traces.list().map((t) => t.modality));
  if (open.model.emg.list().length > 0) found.add(Modality.EMG_FREE_RUNNING);
  return [...found].sort((a, b) => a - b);
}

export function CaseView({ desk, open, sound, onWall, onOpen }: {
  desk: Desk; open: OpenCase; sound: preact.ComponentChildren; onWall: () => void; onOpen: (hex: string) => void;
}) {
  const fresh = freshnessOf(desk, open);
  const modalities = modalitiesOf(open);
  const only = open.screen.only.value;
  const shown = modalities.filter((m) => only === undefined || m === only);
  const evoked = shown.filter((m) => !isEmg(m));
  const talk = open.model.talk.version.value;
  useEffect(() => sendDelivered(desk, open), [talk]);
  return (
    <div class={cls('case', fresh.kind !== 'live' && 'is-stale', (open.screen.held.value || open.screen.review.value) && 'is-held')}>
      <CaseHeader desk={desk} open={open} sound={sound} onWall={onWall} />
      <div class="sentence-area">
        <RecordingBanner desk={desk} open={open} />
        <Sentence desk={desk} open={open} />
        <UnsentHere desk={desk} open={open} />
        <LateStrips desk={desk} open={open} />
      </div>
      <Rail desk={desk} open={open} modalities={modalities} />
      <main class="evidence-area" style={{ gridTemplateRows: shares(open, shown) }}>
        {evoked.map((m) => <SweepPane key={m} desk={desk} open={open} modality={m} />)}
        {shown.some(isEmg) && <EmgPane desk={desk} open={open} />}
        {modalities.length === 0 && (
          <p class="empty">{open.model.ready.value ? 'No signal has come in this case yet.' : 'Asking the hub for this case\u2026'}</p>
        )}
        <StaleCover desk={desk} open={open} />
      </main>
      <aside class="side">
        <AlertList desk={desk} open={open} />
        <div>
          <Notes desk={desk} open={open} />
          <ToldPanel desk={desk} open={open} />
          <Closing desk={desk} open={open} />
        </div>
        <Talk desk={desk} open={open} />
      </aside>
      <footer class="bottom">
        <TrendsPane desk={desk} open={open} />
        <TimeLine desk={desk} open={open} />
        <OtherCases desk={desk} except={open.hex} onOpen={onOpen} />
      </footer>
      <Notices desk={desk} />
    </div>
  );
}

// Panes share the height by what they hold; where it is too little they keep what they need and the
// area scrolls.
function shares(open: OpenCase, shown: Modality[]): string {
  const most = (sides: number[]) => Math.max(1, ...[1, 2].map((s) => sides.filter((side) => side === s).length));
  return shown.map((m) => {
    const rows = isEmg(m) ? 0.42 * most(open.model.emg.list().map((c) => c.side))
      : most(open.model.traces.list().filter((t) => t.modality === m).map((t) => t.side));
    return `minmax(min-content, ${(rows + 0.4).toFixed(2)}fr)`;
  }).join(' ');
}

function Sentence({ desk, open }: { desk: Desk; open: OpenCase }) {
  void desk.beat.value;
  void open.model.alerts.version.value;
  void open.model.traces.version.value;
  for (const t of open.model.traces.list()) void t.version.value;
  return <p class="sentence">{caseSentence(open.model, desk.hubNow(), isOverHere(desk, open))}</p>;
}

// More modalities than these have no room for two lines of words each.
const MOST_ROOMY = 10;

function Rail({ desk, open, modalities }: { desk: Desk; open: OpenCase; modalities: Modality[] }) {
  void desk.beat.value;
  void open.model.alerts.version.value;
  const only = open.screen.only.value;
  const choose = (m: Modality | undefined) => {
    open.screen.only.value = m;
    open.screen.active.value = m;
  };
  return (
    <nav class={cls('rail', modalities.length > MOST_ROOMY && 'rail-crowded')} aria-label="Modalities">
      <button class={cls(only === undefined && 'chosen')} aria-pressed={only === undefined} onClick={() => choose(undefined)}>
        <span>All</span>
      </button>
      {modalities.map((m, i) => {
        const look = railLook(desk, open, m);
        const words = railWords(desk, open, m);
        return (
          <button key={m} class={cls(`state-${look.css}`, only === m && 'chosen')} aria-pressed={only === m}
            title={`${look.word}: ${words}${i < 9 ? ` (${i + 1})` : ''}`} onClick={() => choose(only === m ? undefined : m)}>
            <span class="name">{modalityName(m)} <b aria-hidden="true">{look.glyph}</b></span>
            <span class="unseen">{look.word}</span>
            <span class="more">{words}</span>
          </button>
        );
      })}
    </nav>
  );
}

// The worst of a modality now, and how long ago it was.
function railWords(desk: Desk, open: OpenCase, m: Modality): string {
  const now = desk.hubNow();
  if (isEmg(m)) {
    const silent = silentMuscle(desk, open);
    if (silent) return silent;
    const last = open.model.emg.latestActivity();
    if (!last) return 'no discharge';
    const muscle = last.activity.traceId.split('/').pop() ?? '';
    return `${activityWord(last.activity)} ${sided(muscle, last.activity.side)}, ` +
      `${shortAge(now - last.mark.atMs)} ago`;
  }
  let worst: { percent: number; words: string; atMs: number } | undefined;
  for (const t of open.model.traces.list()) {
    const measured = t.measurement;
    if (t.modality !== m || !measured?.measurement.baseline) continue;
    const percent = measured.measurement.amplitudePercentOfBaseline;
    if (worst && worst.percent <= percent) continue;
    worst = { percent, words: sidedName(nameOf(t.id, t.derivation), t.side), atMs: measured.atMs };
  }
  const overdue = isOverHere(desk, open) ? undefined : oldest(responses(open.model, phaseOf(desk, open), now).filter((r) => r.modality === m && r.overdue));
  if (overdue) return `overdue: ${shortAge(overdue.ageMs)} ago`;
  if (worst) return `${worst.words} ${worst.percent.toFixed(0)} %, ${shortAge(now - worst.atMs)} ago`;
  return open.model.traces.list().some((t) => t.modality === m && t.measurement) ? 'no baseline yet' : 'not measured yet';
}

// What asks for more attention is before what asks for less, as in the hub's summary.
const WORST_FIRST = [MeasurementState.NO_RESPONSE, MeasurementState.RED, MeasurementState.AMBER,
  MeasurementState.NOT_INTERPRETABLE, MeasurementState.NO_BASELINE, MeasurementState.WITHIN_LIMITS];

// The muscle that has been silent for longest, if one is.
function silentMuscle(desk: Desk, open: OpenCase): string | undefined {
  const worst = isOverHere(desk, open) ? undefined : stalest(open.model.emg.list(), desk.hubNow());
  if (!worst || worst.state === 'live') return undefined;
  return `no data of ${sided(worst.channel.derivation, worst.channel.side)} for ${shortAge(worst.ageMs)}`;
}

// The worse of what is measured and of what is alerted.
function railLook(desk: Desk, open: OpenCase, m: Modality): { glyph: string; word: string; css: string } {
  const alert = open.model.alerts.list().find((a) => a.alert.modality === m && isActive(a));
  if (alert) {
    const look = priorityLook(alert.alert.priority);
    return { glyph: look.sign, word: alert.alert.summary, css: look.css };
  }
  if (isEmg(m)) {
    const silent = silentMuscle(desk, open);
    return silent ? { glyph: '?', word: silent, css: 'quiet' } : { glyph: 'ok', word: 'no open alert', css: 'ok' };
  }
  const states = open.model.traces.list().filter((t) => t.modality === m)
    .map((t) => (void t.version.value, t.measurement?.measurement.state ?? MeasurementState.UNSPECIFIED));
  const worst = WORST_FIRST.find((s) => states.includes(s)) ?? MeasurementState.UNSPECIFIED;
  return stateLook(worst, open.model.traces.list().some((t) => t.modality === m && t.baseline !== undefined));
}

const asSentence = (words: string): string => (/[.!?]$/.test(words) ? words : `${words}.`);

// Words over the evidence when it is not live. What was last known stays readable behind them.
function StaleCover({ desk, open }: { desk: Desk; open: OpenCase }) {
  void desk.beat.value;
  const { kind, whose } = freshnessOf(desk, open);
  if (kind === 'live' || (whose === 'hub' && desk.link.value === 'connecting')) return null;
  const newestMs = open.model.acquiredMs > 0 ? desk.hubNow() - open.model.acquiredMs : NaN;
  const theatre = summaryOf(desk, open)?.theatre ?? 'this theatre';
  return (
    <div class={cls('stale-words', `stale-${kind}`)} role="alert">
      <strong>{LINK_WORD[kind]}</strong> <span class="number">{age(whose === 'hub' ? desk.linkAgeMs() : newestMs)}</span>
      <p>
        {whose === 'hub' && 'No word from the hub.'}
        {whose === 'agent' && (kind === 'absent' ? `No agent is connected in ${theatre}.` : `The hub does not hear the agent of ${theatre}.`)}
        {whose === 'follow' && `The hub says: ${asSentence(open.model.ended.value ?? '')} It is asked again by itself.`}
        {kind === 'stale' ? '' : ' What you see is the last that came.'}
        {kind === 'unsupervised' && ' Call the theatre by telephone.'}
      </p>
    </div>
  );
}
