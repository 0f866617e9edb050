// One evoked modality: left on the left, rostral above caudal, every trace at the same gain.

import { useRef } from 'preact/hooks';
import { useSignal } from '@preact/signals';
import { age, microvolts, ms, percentChange, shortAge, stopwatch, timeOfDay } from '../base/format.js';
import { stimulationOf, wouldSee } from '../model/ages.js';
import type { Desk, OpenCase } from '../model/desk.js';
import type { TraceView } from '../model/case_screen.js';
import { beforeMs } from '../model/pane_setting.js';
import { siteWords } from '../model/trace_names.js';
import { baselineSetMs, isSingle, rejectedCount } from '../model/traces.js';
import type { SweepView, Trace } from '../model/traces.js';
import { baselineName, modalityName, qualityName, sideWord, stateLook } from '../model/words.js';
import { DIVISION_PX } from '../render/scale.js';
import { paintSweep } from '../render/sweep_painter.js';
import type { BaselineSet } from '../wire/generated/remora/v1/case_pb.js';
import { MeasurementState } from '../wire/generated/remora/v1/measurement_pb.js';
import { QualityFlag, Side } from '../wire/generated/remora/v1/waveform_pb.js';
import type { Measurement } from '../wire/generated/remora/v1/measurement_pb.js';
import type { FilterSetting, Modality, Sweep } from '../wire/generated/remora/v1/waveform_pb.js';
import { idFrom } from '../wire/record_id.js';
import { freshnessOf, isOverHere } from './case_header.js';
import { PaneFrame } from './pane_frame.js';
import { Canvas, cls, UnseenTable } from './parts.js';

export function SweepPane({ desk, open, modality }: { desk: Desk; open: OpenCase; modality: Modality }) {
  void open.model.traces.version.value;
  const traces = open.model.traces.list().filter((t) => t.modality === modality);
  const left = traces.filter((t) => t.side === Side.LEFT);
  const right = traces.filter((t) => t.side === Side.RIGHT);
  const rest = traces.filter((t) => t.side !== Side.LEFT && t.side !== Side.RIGHT);
  const setting = open.screen.setting(modality);
  const words = filterWords(traces.find((t) => t.current)?.current?.sweep.filter);
  return (
    <PaneFrame desk={desk} open={open} modality={modality} title={modalityName(modality)} class="sweep-pane"
      facts={<>
        <span>{setting.uvPerDivision} {'\u00b5'}V/div</span>
        <span>{setting.spanMs} ms across</span>
        <span>negative up</span>
        {words && <span>{words}</span>}
        <Legend newest={open.screen.review.value ? 'then' : isOverHere(desk, open) ? 'last' : 'now'} />
      </>}>
      <div class="sides">
        <Column desk={desk} open={open} traces={left} word="LEFT" modality={modality} />
        <Column desk={desk} open={open} traces={right} word="RIGHT" modality={modality} />
      </div>
      {rest.length > 0 && <Column desk={desk} open={open} traces={rest} word="MIDLINE" modality={modality} />}
    </PaneFrame>
  );
}

function Legend({ newest }: { newest: string }) {
  return (
    <span class="legend">
      <i class="key-current" /> {newest} <i class="key-ghost" /> before <i class="key-baseline" /> baseline
    </span>
  );
}

function Column({ desk, open, traces, word, modality }:
    { desk: Desk; open: OpenCase; traces: Trace[]; word: string; modality: Modality }) {
  return (
    <section class="column" aria-label={`${word} ${modalityName(modality)}`}>
      <h3>{word}</h3>
      {traces.map((t) => <Row key={t.id} desk={desk} open={open} trace={t} modality={modality} />)}
      {traces.length === 0 && <p class="calm">No trace on this side</p>}
    </section>
  );
}

function Row({ desk, open, trace, modality }:
    { desk: Desk; open: OpenCase; trace: Trace; modality: Modality }) {
  void trace.version.value;
  void open.model.annotations.version.value;
  const cursor = useSignal<number | undefined>(undefined);
  const shownAt = useRef(0);
  const setting = open.screen.setting(modality);
  const before = beforeMs(setting.spanMs);
  const view = open.screen.shown(trace);
  const { current: shown, previous, baseline } = view;
  const annotations = open.model.annotations.onTrace(trace.id);
  const measurement = view.measurement?.measurement;
  const state = measurement?.state ?? MeasurementState.UNSPECIFIED;
  shownAt.current = shown?.mark.atMs ?? 0;
  const cursorMs = cursor.value;
  const at = (part: number) => Math.round((part * setting.spanMs - before) * 10) / 10;
  const pick = (part: number) => {
    open.screen.baselineOpen.value = false;
    open.screen.target.value = {
      words: `${sideWord(trace.side)} ${trace.name} at ${at(part).toFixed(1)} ms`,
      about: shown?.mark.id, traceId: trace.id, atLatencyMs: at(part),
    };
  };
  const name = `${sideWord(trace.side)} ${trace.name}`;
  return (
    <div class={cls('row', `row-${stateLook(state, baseline !== undefined).css}`, shown?.mark.unrecorded && 'row-unrecorded')}>
      <Stopped desk={desk} open={open} trace={trace} />
      <Canvas desk={desk} class="trace" label={describe(name, shown, measurement)}
        paint={(canvas) => paintSweep(canvas, {
          current: shown, previous, baseline, uvPerDivision: setting.uvPerDivision,
          fromMs: -before, spanMs: setting.spanMs, cursorMs,
          annotatedMs: annotations.map((a) => a.annotation.atLatencyMs),
        })}
        onPoint={(part) => (cursor.value = part === undefined ? undefined : at(part))}
        onPick={pick} />
      <div class="row-name">
        <b>{trace.name}</b> <SweepFacts desk={desk} sweep={shown} past={open.screen.review.value !== undefined} />
      </div>
      <ScaleBar uv={setting.uvPerDivision} />
      <Readout desk={desk} trace={trace} view={view} />
      {shown && <SweepTable name={name} sweep={shown} baseline={baseline?.baseline} />}
    </div>
  );
}

// What stands because nothing is stimulated any more must not look as if it ran.
function Stopped({ desk, open, trace }: { desk: Desk; open: OpenCase; trace: Trace }) {
  void desk.beat.value;
  void trace.version.value;
  const now = desk.hubNow();
  const stimulation = open.screen.held.value || open.screen.review.value || isOverHere(desk, open) ? undefined : stimulationOf(trace, now);
  if (!stimulation?.stopped) return null;
  const since = stopwatch(stimulation.ageMs);
  return (
    <span class="row-stopped"><b class="number">
      {wouldSee(freshnessOf(desk, open), open.model) ? `STIMULATION STOPPED ${since}` : `LAST STIMULUS ${since} AGO`}
    </b></span>
  );
}

// An average that still grows has few sweeps and does not repeat: that says nothing yet.
function flagsOf(s: Sweep): QualityFlag[] {
  if (!s.provisional) return s.quality;
  return s.quality.filter((q) => q !== QualityFlag.NOT_REPRODUCIBLE && q !== QualityFlag.TOO_FEW_SWEEPS);
}

function SweepFacts({ desk, sweep, past }: { desk: Desk; sweep: SweepView | undefined; past: boolean }) {
  void desk.beat.value;
  if (!sweep) return <span class="calm">{past ? 'nothing of that time' : 'waiting for a first one'}</span>;
  const s = sweep.sweep;
  const rejected = rejectedCount(s.rejected);
  return (
    <span class="facts">
      <span class="number" title={`Last stimulus ${timeOfDay(sweep.stimulusMs, true)}`}>{shortAge(desk.hubNow() - sweep.stimulusMs)} ago</span>
      {siteWords(s) && <b>{siteWords(s)}</b>}
      {!isSingle(s) && (
        <span class={cls('number', s.provisional && 'provisional')}>
          {s.provisional ? 'provisional ' : ''}n {s.acceptedCount}/{s.requestedCount}
        </span>
      )}
      {sweep.mark.unrecorded && <span class="unseen">not recorded</span>}
      {flagsOf(s).map((q) => <b key={q} class="quality">{qualityName(q)}</b>)}
      <span class="number">{isSingle(s) ? `trial ${s.trialIndex}` : `block ${s.blockIndex}`}</span>
      {!isSingle(s) && <span class="number">{rejected} rejected</span>}
      <span class="number">noise {s.noiseUvRms.toFixed(2)} {'\u00b5'}V</span>
    </span>
  );
}

function Readout({ desk, trace, view }: { desk: Desk; trace: Trace; view: TraceView }) {
  const { baseline, current } = view;
  const measurement = view.measurement?.measurement;
  const look = stateLook(measurement?.state ?? 0, baseline !== undefined);
  return (
    <div class="readout">
      {measurement ? (
        <>
          <p class={`state state-${look.css}`}>
            <b aria-hidden="true">{look.glyph}</b> {look.word}
          </p>
          <MeasuredAt desk={desk} atMs={view.measurement!.atMs} measurement={measurement} sweep={current} />
          <p class="component" title={baseline ? undefined : measurement.reason}><span>{measurement.component}</span>{' '}
            {!baseline && measurement.reason}
            {baseline ? <>vs {baselineName(baseline.baseline.kind)} {timeOfDay(baselineSetMs(baseline))}</> : ''}</p>
          {measurement.state === MeasurementState.NO_RESPONSE ? null : (
            <>
              <p class="value number">{ms(measurement.latencyMs)}
                {measurement.baseline && <small>{percentChange(measurement.latencyChangePercent)}</small>}</p>
              <p class="value number">{microvolts(measurement.amplitudeUv)}
                {measurement.baseline && <small>{percentChange(measurement.amplitudePercentOfBaseline - 100)}</small>}</p>
            </>
          )}
          {baseline && measurement.reason && <p class="reason" title={measurement.reason}>{measurement.reason}</p>}
        </>
      ) : <p class="calm">not measured yet</p>}
      {trace.baselineAsked && <p class="against">new baseline asked by {trace.baselineAsked.baseline.actor}</p>}
    </div>
  );
}

// Numbers are of a finished average: when, which, and whether that is the one that is drawn.
function MeasuredAt({ desk, atMs, measurement, sweep }:
    { desk: Desk; atMs: number; measurement: Measurement; sweep: SweepView | undefined }) {
  void desk.beat.value;
  const of = idFrom(measurement.sweep);
  const another = sweep !== undefined && of !== undefined && of !== sweep.mark.id;
  return (
    <p class={cls('measured', 'number', another && 'measured-before')}>
      {another ? 'before: ' : ''}{shortAge(desk.hubNow() - atMs)} ago, {measurement.muscle ? 'trial' : 'block'} {measurement.blockIndex}
      <span class="unseen">, measured at {timeOfDay(atMs, true)}{another && ', not on the average that is drawn'}</span>
    </p>
  );
}

// One division, on every trace.
function ScaleBar({ uv }: { uv: number }) {
  return (
    <span class="scale-bar" aria-hidden="true">
      <i style={{ height: `${DIVISION_PX}px` }} /> {uv} {'\u00b5'}V
    </span>
  );
}

function SweepTable({ name, sweep, baseline: b }:
    { name: string; sweep: SweepView; baseline: BaselineSet | undefined }) {
  const rows = sweep.sweep.marks.map((m) => [m.label, ms(m.latencyMs), microvolts(m.amplitudeUv)]);
  if (b) rows.push([`baseline ${b.component}`, ms(b.latencyMs), microvolts(b.amplitudeUv)]);
  return <UnseenTable caption={`Marks of ${name}`} head={['Mark', 'Latency', 'Amplitude']} rows={rows} />;
}

function describe(name: string, sweep: SweepView | undefined, m: Measurement | undefined): string {
  if (!sweep) return `${name}: nothing yet`;
  const what = isSingle(sweep.sweep) ? ['single sweep', siteWords(sweep.sweep)].filter((w) => w !== '').join(', ')
    : `${sweep.sweep.provisional ? 'provisional average' : 'average'} of ${sweep.sweep.acceptedCount} sweeps`;
  const measured = m ? `; ${m.component} ${ms(m.latencyMs)}, ${microvolts(m.amplitudeUv)}, ` +
    `${Math.round(m.amplitudePercentOfBaseline)} percent of baseline` : '';
  return `${name}: ${what}, stimulated ${timeOfDay(sweep.stimulusMs, true)}${measured}`;
}

export function filterWords(f: FilterSetting | undefined): string {
  if (!f) return '';
  const notch = f.notchHz > 0 ? `, notch ${f.notchHz} Hz` : ', no notch';
  return `${f.highPassHz || 'DC'}\u2013${f.lowPassHz} Hz${notch}${f.zeroPhase ? ', zero phase' : ''}`;
}

export const sweepAge = (desk: Desk, sweep: SweepView): string => age(desk.hubNow() - sweep.stimulusMs);
