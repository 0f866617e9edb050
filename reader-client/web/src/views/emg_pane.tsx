// Free-running EMG: eight muscles in a live sweep, left on the left.

import { useEffect, useRef } from 'preact/hooks';
import { age, shortAge, timeOfDay } from '../base/format.js';
import type { Desk, OpenCase } from '../model/desk.js';
import { stalest, supplyOf } from '../model/emg.js';
import type { EmgChannel } from '../model/emg.js';
import { EMG_SPAN_MS } from '../model/review.js';
import { EmgPainter, emgScaleBarPx } from '../render/emg_painter.js';
import { Modality, Side } from '../wire/generated/remora/v1/waveform_pb.js';
import { activityWord, sideWord } from '../model/words.js';
import { isOverHere } from './case_header.js';
import { PaneFrame } from './pane_frame.js';
import { Canvas, cls, UnseenTable } from './parts.js';

export function EmgPane({ desk, open }: { desk: Desk; open: OpenCase }) {
  void open.model.emg.channelsVersion.value;
  const channels = open.model.emg.list();
  const setting = open.screen.setting(Modality.EMG_FREE_RUNNING);
  const left = channels.filter((c) => c.side === Side.LEFT);
  const right = channels.filter((c) => c.side === Side.RIGHT);
  const rest = channels.filter((c) => c.side !== Side.LEFT && c.side !== Side.RIGHT);
  const review = open.screen.review.value;
  const gaps = channels.reduce((sum, c) => sum + c.gapCount, 0);
  return (
    <PaneFrame desk={desk} open={open} modality={Modality.EMG_FREE_RUNNING} title="EMG" class="emg-pane"
      facts={<>
        <span class="bar-key"><i style={{ height: '12px' }} /> {setting.uvPerDivision} {'\u00b5'}V/div</span>
        <span>{(review ? EMG_SPAN_MS : setting.spanMs) / 1000} s across</span>
        {review?.hasEmg && <span>smallest to largest, from envelopes; the samples are on record</span>}
        {!review && channels[0] && channels[0].sampleRateHz > 0 && <span>{channels[0].filterWords} {'\u00b7'} {channels[0].sampleRateHz} Hz, min/max a pixel</span>}
        {!review && gaps > 0 && <b class="quality">{gaps} {gaps === 1 ? 'gap' : 'gaps'}</b>}
      </>}>
      <div class="sides">
        <Muscles desk={desk} open={open} channels={left} word="LEFT" />
        <Muscles desk={desk} open={open} channels={right} word="RIGHT" />
      </div>
      {rest.length > 0 && <Muscles desk={desk} open={open} channels={rest} word="OTHER" />}
      <Activities open={open} />
      {open.model.leftOut.lighter.value && <p class="emg-review">EMG is left out: this screen is set lighter.</p>}
      {review && !review.hasEmg && <p class="emg-review">No EMG of that time was fetched. Nothing is drawn.</p>}
    </PaneFrame>
  );
}

function Muscles({ desk, open, channels, word }:
    { desk: Desk; open: OpenCase; channels: EmgChannel[]; word: string }) {
  const painter = useRef<EmgPainter | undefined>(undefined);
  painter.current ??= new EmgPainter();
  const setting = open.screen.setting(Modality.EMG_FREE_RUNNING);
  const held = open.screen.held.value !== undefined || open.screen.review.value !== undefined;
  const awaited = !held && !isOverHere(desk, open);
  const review = open.screen.review.value;
  const at = review?.index.value;
  // Each step is painted by itself.
  if (review) painter.current = new EmgPainter();
  const then = review?.emgOf(channels);
  if (channels.length === 0) return <section class="column muscles" aria-label={`${word} EMG`}><h3>{word}</h3></section>;
  return (
    <section class="column muscles" aria-label={`${word} EMG`}>
      <h3>{word} {awaited && <SideAge desk={desk} channels={channels} />}</h3>
      <div class="muscle-area">
        <ol>{channels.map((c) => <li key={c.traceId}>{c.derivation}</li>)}</ol>
        <LiveCanvas desk={desk} open={open} label={`${word} EMG of ${channels.map((c) => c.derivation).join(', ')}`}
          paint={(canvas) => (review && then
            ? painter.current!.paint(canvas, then, (c) => review.activitiesOf(c), setting.uvPerDivision, EMG_SPAN_MS, false)
            : painter.current!.paint(canvas, channels, (c) => open.model.emg.activitiesOf(c), setting.uvPerDivision, setting.spanMs, held))} />
        {then && review?.hasEmg && <Missing key={at} channels={then} />}
        {awaited && <Covers desk={desk} channels={channels} />}
        <span class="scale-bar" aria-hidden="true">
          <i style={{ height: `${emgScaleBarPx}px` }} />
        </span>
      </div>
    </section>
  );
}

// How old the newest sample of a side is: of its muscle that has been silent for longest.
function SideAge({ desk, channels }: { desk: Desk; channels: EmgChannel[] }) {
  void desk.beat.value;
  const worst = stalest(channels, desk.hubNow());
  if (!worst) return null;
  return <span class={cls('number', 'side-age', `age-${worst.state}`)}>{age(worst.ageMs)}</span>;
}

// Over each muscle whose samples stopped: without colour first, then with words.
function Covers({ desk, channels }: { desk: Desk; channels: EmgChannel[] }) {
  void desk.beat.value;
  const now = desk.hubNow();
  return (
    <ol class="muscle-covers">
      {channels.map((c) => {
        const { state, ageMs } = supplyOf(c, now);
        return (
          <li key={c.traceId} class={`cover-${state}`}>
            {state === 'live' && c.blocks.some((b) => b.unrecorded) && <b class="not-recorded">NOT RECORDED</b>}
            {state === 'stale' && <span class="number">STALE {shortAge(ageMs)}</span>}
            {state === 'lost' && <b class="number">NO DATA {shortAge(ageMs)}</b>}
            {state !== 'live' && <span class="unseen"> of {c.derivation}</span>}
          </li>
        );
      })}
    </ol>
  );
}

// Of the time that is looked through.
function Missing({ channels }: { channels: EmgChannel[] }) {
  return (
    <ol class="muscle-covers">
      {channels.map((c) => <li key={c.traceId}>{c.blocks.length === 0 && <b class="not-recorded">NOTHING FETCHED <span class="unseen">of {c.derivation}</span></b>}</li>)}
    </ol>
  );
}

// Painted with every block that comes, without rendering anything else.
function LiveCanvas({ desk, open, label, paint }:
    { desk: Desk; open: OpenCase; label: string; paint: (canvas: HTMLCanvasElement) => void }) {
  const latest = useRef(paint);
  latest.current = paint;
  const canvas = useRef<HTMLCanvasElement | undefined>(undefined);
  useEffect(() => {
    const call = () => canvas.current && latest.current(canvas.current);
    const hook = () => desk.frame.paint(call);
    open.model.emg.listeners.add(hook);
    return () => {
      open.model.emg.listeners.delete(hook);
      desk.frame.forget(call);
    };
  }, [open]);
  return <Canvas desk={desk} class="muscle-trace" label={label} paint={(c) => {
    canvas.current = c;
    latest.current(c);
  }} />;
}

function Activities({ open }: { open: OpenCase }) {
  void open.model.emg.activitiesVersion.value;
  const all = open.model.emg.list().flatMap((c) => open.model.emg.activitiesOf(c))
    .sort((a, b) => b.mark.atMs - a.mark.atMs).slice(0, 8);
  return (
    <UnseenTable caption="Latest EMG discharges" head={['Time', 'Muscle', 'Kind', 'Peak', 'Duration']}
      rows={all.map(({ mark, activity: a }) => [
        timeOfDay(mark.atMs, true), `${sideWord(a.side)} ${a.traceId.split('/').pop() ?? ''}`, activityWord(a),
        `${a.peakUv.toFixed(0)} \u00b5V`, `${a.durationMs.toFixed(0)} ms`])} />
  );
}
