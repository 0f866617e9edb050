// What was not seen when it was fresh: that nothing is recorded now, what came late, what a slow link
// leaves out. Each in words, with the way to look through it; an interval stays unread until somebody
// says to have done so.

import { useSignal } from '@preact/signals';
import { stopwatch, timeOfDay } from '../base/format.js';
import { lookThrough, MESSAGE_BYTES, tickReviewed, tickUnseen } from '../model/acts.js';
import type { Desk, OpenCase } from '../model/desk.js';
import type { Interval } from '../model/intervals.js';
import { rateWords } from '../model/left_out.js';
import { Role } from '../wire/generated/remora/v1/case_pb.js';
import { GapCause } from '../wire/generated/remora/v1/room_pb.js';
import { ByteCount, fits } from './byte_count.js';

// As many are listed; the others wait behind them.
const SHOWN = 2;
// Trials that ended shortly before the link went were on their way.
const BEFORE_MS = 5_000;
// Of a time whose end in the record is not known, so many places are looked through.
const MOST_PLACES = 20_000n;
const MAY_REVIEW = [Role.NEUROPHYSIOLOGIST, Role.CENTRE];

export const mayReview = (desk: Desk): boolean => MAY_REVIEW.includes(desk.identity.role);

export function RecordingBanner({ desk, open }: { desk: Desk; open: OpenCase }) {
  void desk.beat.value;
  const recording = open.model.recording.value;
  const count = open.model.unrecorded.value;
  if (!recording.unrecorded) {
    return count === 0 ? null : (
      <p class="strip strip-unrecorded" role="status"><b>NOT RECORDED</b> {count} {count === 1 ? 'entry' : 'entries'} of what is shown, so far.</p>
    );
  }
  return (
    <p class="strip strip-now" role="alert">
      <b>NOT RECORDED</b>{recording.sinceMs > 0 && <> since <span class="number">{timeOfDay(recording.sinceMs, true)}, {stopwatch(desk.hubNow() - recording.sinceMs)}</span></>}.{' '}
      What you see now is live and not on record; its senders keep it and offer it again. The agent{'\u2019'}s console and what it is asked to do wait for the record.
      {recording.cause && <small> {recording.cause}</small>}
    </p>
  );
}

export function LateStrips({ desk, open }: { desk: Desk; open: OpenCase }) {
  void open.model.intervals.version.value;
  const all = open.model.leftOut.all.value;
  const unread = open.model.intervals.unread().reverse();
  const review = open.screen.review.value;
  const away = all.get(GapCause.WAS_AWAY);
  const others = open.model.leftOut.otherCount();
  return (
    <>
      {review && <ReviewBar desk={desk} open={open} unread={unread} />}
      {open.model.leftOut.slowLink.value && <SlowLink desk={desk} open={open} />}
      {open.model.leftOut.lighter.value && (
        <p class="strip strip-unread" role="status">
          <b>LIGHTER</b> This screen asks for no EMG, and for fewer sweeps; everything is on record. Alerts, messages and measurements come.{' '}
          <button onClick={() => desk.lighten(open, false)}>Everything again</button>
        </p>
      )}
      {!review && unread.slice(0, SHOWN).map((i) => <IntervalStrip key={i.mark.id} desk={desk} open={open} interval={i} />)}
      {!review && unread.length > SHOWN && <p class="strip"><b>{unread.length - SHOWN} more</b> not looked through.</p>}
      {away && !review && (
        <p class="strip">
          <b>This page was away</b>: {countWords(away.count)} of that time {away.count === 1 ? 'was' : 'were'} not shown here.{' '}
          <button disabled={open.screen.asking.value} onClick={() => void lookThrough(
            desk, open, { fromMs: 0, toMs: Infinity }, away.fromSeq, away.toSeq)}>Look through</button>{' '}
          <button class="plain" onClick={() => open.model.leftOut.forget(GapCause.WAS_AWAY)}>Close</button>
        </p>
      )}
      {others > 0 && <p class="strip strip-small"><small>{others} records were left out for this screen; they are on record.</small></p>}
    </>
  );
}

const countWords = (n: number): string => (n === 0 ? 'sweeps and blocks' : n === 1 ? '1 record' : `${n} records`);

function SlowLink({ desk, open }: { desk: Desk; open: OpenCase }) {
  void desk.beat.value;
  const rate = rateWords(desk.linkBitsPerSecond());
  return (
    <p class="strip strip-unread" role="status">
      <b>SLOW LINK</b> Sweeps and EMG are left out: the link, or this computer, carries {rate || 'too little for them'}. Alerts, messages and measurements come.{' '}
      {!open.model.leftOut.lighter.value &&
        <button title="No EMG, and sweeps as far as the link carries them" onClick={() => desk.lighten(open, true)}>Lighter</button>}
    </p>
  );
}

function IntervalStrip({ desk, open, interval: i }: { desk: Desk; open: OpenCase; interval: Interval }) {
  const late = open.model.leftOut.all.value.get(GapCause.LATE);
  const length = stopwatch(i.toMs - i.fromMs);
  const ask = () => {
    const last = late && late.toSeq > i.mark.seq ? late.toSeq : i.mark.seq;
    const to = last > i.firstSeq + MOST_PLACES ? last : i.firstSeq + MOST_PLACES;
    void lookThrough(desk, open, { fromMs: i.fromMs - BEFORE_MS, toMs: i.toMs }, i.firstSeq, to, i.mark.id);
  };
  return (
    <div class="strip strip-unread">
      <b>NOT LOOKED THROUGH</b>{' '}
      {i.kind === 'outage' ? 'The agent\u2019s link was away ' : 'Nothing was recorded '}
      <span class="number">{timeOfDay(i.fromMs, true)}{'\u2013'}{timeOfDay(i.toMs, true)} ({length})</span>.{' '}
      {i.kind === 'outage' && late && late.count > 0 && <>{countWords(late.count)} came late and {late.count === 1 ? 'was' : 'were'} not shown as live. </>}
      {i.kind === 'unrecorded' && i.shownCount > 0 && <>{countWords(i.shownCount)} {i.shownCount === 1 ? 'was' : 'were'} shown meanwhile. </>}
      {i.cause && <small>{i.cause} </small>}
      <button disabled={open.screen.asking.value} onClick={ask}>{open.screen.asking.value ? 'Asking\u2026' : 'Look through'}</button>{' '}
      {i.reviewed ? <b>Reviewed by {i.reviewed.actor}, {i.reviewed.mark.pending ? 'kept here, on its way' : 'NOT RECORDED'}</b>
        : mayReview(desk) && <Tick desk={desk} open={open} interval={i} />}
    </div>
  );
}

// Said to have been looked through once it was, to the end; else with a reason.
function Tick({ desk, open, interval: i }: { desk: Desk; open: OpenCase; interval: Interval }) {
  const reason = useSignal<string | undefined>(undefined);
  const looked = open.screen.hasLookedThrough(i.mark.id, open.model.leftOut.late());
  const review = open.screen.review.value?.interval === i.mark.id ? open.screen.review.value : undefined;
  const before = open.screen.lookedThrough.value.get(i.mark.id);
  const words = looked ? '' : before
    ? `More ${before.snapshots === open.model.leftOut.late().snapshots ? 'came' : 'may have come'} late since: look through again.`
    : review?.steps.length === 0 ? 'Nothing was there to look at: look again later, or say why it need not be.'
      : review ? `${review.reached.value + 1} of ${review.steps.length} looked at.` : 'First look through it, to the end.';
  if (looked) return <button onClick={() => void tickReviewed(desk, open, i)}>{'\u2713'} Reviewed backlog</button>;
  if (reason.value === undefined) {
    return (
      <>
        <button disabled title={words}>{'\u2713'} Reviewed backlog</button> <small class="calm">{words}</small>{' '}
        <button class="plain" onClick={() => (reason.value = '')}>Without looking through{'\u2026'}</button>
      </>
    );
  }
  const text = reason.value;
  const good = text.trim() !== '' && fits(text, MESSAGE_BYTES);
  const when = `${timeOfDay(i.fromMs, true)}\u2013${timeOfDay(i.toMs, true)}`;
  return (
    <form class="tick-unseen" aria-label="Reviewed without looking through" onSubmit={(e) => {
      e.preventDefault();
      if (good) void tickUnseen(desk, open, i, when, text);
    }}>
      <label>Why it need not be looked through (required){' '}
        <input type="text" value={text} onInput={(e) => (reason.value = e.currentTarget.value)} /></label>{' '}
      <button type="submit" disabled={!good}>Reviewed without looking through</button>{' '}
      <button type="button" onClick={() => (reason.value = undefined)}>Cancel</button>
      {text !== '' && <ByteCount text={text} limit={MESSAGE_BYTES} />}
    </form>
  );
}

// It takes the place of the strips: what is looked at needs the room.
function ReviewBar({ desk, open, unread }: { desk: Desk; open: OpenCase; unread: Interval[] }) {
  const review = open.screen.review.value!;
  const interval = unread.find((i) => i.mark.id === review.interval);
  const others = unread.filter((i) => i !== interval).length;
  const { steps } = review;
  const at = review.index.value;
  return (
    <div class="strip strip-review">
      <b>REVIEW</b>{' '}
      {steps.length === 0 ? 'No finished sweep and no EMG of that time is on record. ' : (
        <>
          <button aria-label="Earlier" disabled={at === 0} onClick={() => open.screen.stepReview(-1)}>{'\u2039'}</button>{' '}
          <span class="number">{timeOfDay(review.atMs(), true)}</span>, {at + 1} of {steps.length}, {review.interval ? 'came late' : 'not shown here'}{' '}
          <button aria-label="Later" disabled={at >= steps.length - 1} onClick={() => open.screen.stepReview(1)}>{'\u203a'}</button>{' '}
        </>
      )}
      {review.error && <small>{review.error} </small>}
      {interval && !interval.reviewed && mayReview(desk) && <Tick desk={desk} open={open} interval={interval} />}{' '}
      <button onClick={() => open.screen.live()}>Back to live (L)</button>{' '}
      {others > 0 && <small class="calm">{others} more not looked through.</small>}
    </div>
  );
}
