// Along the bottom: amplitude and latency of each trace over the last minutes or the whole case, and
// what happened.

import { useSignal } from '@preact/signals';
import { microvolts, ms, percentChange, timeOfDay } from '../base/format.js';
import type { Desk, OpenCase } from '../model/desk.js';
import type { Point } from '../model/trends.js';
import { trendPages } from '../model/trend_pages.js';
import type { Trace } from '../model/traces.js';
import { modalityName, phaseName, priorityLook, sideWord, stateLook } from '../model/words.js';
import { paintTrend } from '../render/trend_painter.js';
import { MeasurementState } from '../wire/generated/remora/v1/measurement_pb.js';
import { Canvas, cls, UnseenTable } from './parts.js';
import { eventWords, TOLD_LETTER } from './told.js';

const RANGES: [words: string, ms: number][] = [['15 min', 15 * 60_000], ['60 min', 60 * 60_000], ['Case', Infinity]];
// Until the case is as long as the axis, the axis is as long as the case, but no shorter than this.
const SHORTEST_MS = 10 * 60_000;
// Usual limits where the plan brings none of its own.
const AMPLITUDE_LIMIT_PERCENT = 50;
const LATENCY_LIMIT_PERCENT = 10;
// A longer line of time is ruled by hours.
const LONG_MS = 150 * 60_000;
const MOST_CHARTS = 6;
const TABLE_ROWS = 10;

export function TrendsPane({ desk, open }: { desk: Desk; open: OpenCase }) {
  void open.model.trends.version.value;
  void open.model.traces.version.value;
  const only = open.screen.only.value;
  const traces = open.model.traces.list()
    .filter((t) => (only === undefined || t.modality === only) && open.model.trends.get(t.id));
  const page = useSignal(0);
  const pages = trendPages(traces, (t) => open.model.trends.get(t.id)?.points.at(-1)?.state ?? MeasurementState.UNSPECIFIED, MOST_CHARTS);
  const at = Math.min(page.value, pages.length - 1);
  const shown = pages[at] ?? [];
  const { fromMs, toMs } = axis(desk, open);
  const eventsMs = open.model.phases.value.map((p) => p.mark.atMs);
  return (
    <section class="trends" aria-label="Trends">
      {shown.map((t) => {
        const line = open.model.trends.get(t.id);
        const last = line?.points[line.points.length - 1];
        const name = `${sideWord(t.side)} ${t.name}`;
        return (
          <figure key={t.id} class={cls('trend', last && `row-${stateLook(last.state, t.baseline !== undefined).css}`)}>
            <figcaption>
              <b title={line?.component}>{name}</b>
              <span class="number trend-now">{last ? nowWords(last) : ''}</span>
            </figcaption>
            <Canvas desk={desk} label={`Trend of ${name}: ${last ? nowWords(last) : 'no measurement'}`}
              paint={(canvas) => paintTrend(canvas, {
                line, fromMs, toMs, eventsMs, ...limitsOf(open, t),
              })} />
            <UnseenTable caption={`${modalityName(t.modality)} ${name}, latest measurements`}
              head={['Time', 'Amplitude', 'of baseline', 'Latency', 'change', 'State']}
              rows={(line?.points ?? []).slice(-TABLE_ROWS).map((p) => [
                timeOfDay(p.atMs, true), microvolts(p.amplitudeUv), `${p.amplitudePercent.toFixed(0)} %`,
                ms(p.latencyMs), percentChange(p.latencyPercent), stateLook(p.state).word])} />
          </figure>
        );
      })}
      {shown.length === 0 && <p class="calm trends-empty">No measurement yet. Trends begin with the first finished average.</p>}
      <div class="trend-tools">
        <div role="group" aria-label="Time shown">
          {RANGES.map(([words, ms]) => (
            <button key={words} class="tool" aria-pressed={open.screen.trendRangeMs.value === ms}
              onClick={() => (open.screen.trendRangeMs.value = ms)}>{words}</button>
          ))}
        </div>
        {pages.length > 1 && (
          <button class="tool" onClick={() => (page.value = (at + 1) % pages.length)}>
            <span class="number">{at * MOST_CHARTS + 1}{'\u2013'}{at * MOST_CHARTS + shown.length} of {traces.length}</span>: more
          </button>
        )}
      </div>
    </section>
  );
}

// The criteria that the case runs with; a row without a modality is for all.
function limitsOf(open: OpenCase, t: Trace): { amplitudeLimitPercent: number; latencyLimitPercent: number } {
  const rows = (open.model.plan.value?.criteria?.criterion ?? []).filter((c) => c.modality === 0 || c.modality === t.modality);
  const fall = rows.find((c) => c.redAmplitudeFallPercent > 0)?.redAmplitudeFallPercent;
  const rise = rows.find((c) => c.redLatencyRisePercent > 0)?.redLatencyRisePercent;
  return {
    amplitudeLimitPercent: fall === undefined ? AMPLITUDE_LIMIT_PERCENT : 100 - fall,
    latencyLimitPercent: rise ?? LATENCY_LIMIT_PERCENT,
  };
}

const nowWords = (p: Point): string =>
  p.amplitudePercent > 0 ? `${p.amplitudePercent.toFixed(0)} %  ${percentChange(p.latencyPercent)}` : stateLook(p.state).word;

export function axis(desk: Desk, open: OpenCase): { fromMs: number; toMs: number } {
  const now = desk.slowNow.value;
  const first = Math.min(now, ...open.model.trends.list().map((l) => l.points[0]?.atMs ?? now),
    ...open.model.phases.value.map((p) => p.mark.atMs));
  return { fromMs: Math.max(now - open.screen.trendRangeMs.value, Math.min(first, now - SHORTEST_MS)), toMs: now };
}

// One line of time for the case: phases, alerts, baselines, messages, what was told beside traces.
export function TimeLine({ desk, open }: { desk: Desk; open: OpenCase }) {
  void open.model.alerts.version.value;
  void open.model.talk.version.value;
  void open.model.annotations.version.value;
  void open.model.told.eventsVersion.value;
  const { fromMs, toMs } = axis(desk, open);
  const left = (at: number) => ({ left: `${(100 * (at - fromMs)) / (toMs - fromMs)}%` });
  const phases = [...open.model.phases.value].sort((a, b) => a.mark.atMs - b.mark.atMs);
  const ticks: number[] = [];
  const stepMs = toMs - fromMs > LONG_MS ? 3_600_000 : 600_000;
  for (let at = Math.ceil(fromMs / stepMs) * stepMs; at < toMs; at += stepMs) ticks.push(at);
  return (
    <section class="time-line" aria-label="What happened">
      <div class="line-area">
        {ticks.map((at) => <span key={at} class="tick number" style={left(at)}>{timeOfDay(at)}</span>)}
        {phases.map((p, i) => {
          const from = Math.max(fromMs, p.mark.atMs);
          const to = phases[i + 1]?.mark.atMs ?? toMs;
          if (to < fromMs) return null;
          return (
            <span key={p.mark.id} class="phase-span" title={`${phaseName(p.phase)} since ${timeOfDay(p.mark.atMs)}`}
              style={{ ...left(from), width: `${(100 * (to - from)) / (toMs - fromMs)}%` }}>{phaseName(p.phase)}</span>
          );
        })}
        {open.model.alerts.list().filter((a) => a.raised.atMs > fromMs).map((a) => (
          <span key={a.id} class={`event event-alert sign-${priorityLook(a.alert.priority).css}`}
            style={left(a.raised.atMs)} title={`${a.alert.summary}, ${timeOfDay(a.raised.atMs, true)}`}>
            {priorityLook(a.alert.priority).sign}
          </span>
        ))}
        {open.model.traces.baselineList().filter((b) => b.mark.atMs > fromMs && b.values.length > 0).map((b) => (
          <span key={b.mark.id} class="event event-baseline" style={left(b.mark.atMs)}
            title={`Baseline of ${open.model.traces.get(b.baseline.traceId)?.name ?? b.baseline.traceId} set ${timeOfDay(b.mark.atMs)}`}>B</span>
        ))}
        {open.model.talk.list().filter((m) => m.mark.atMs > fromMs).map((m) => (
          <span key={m.mark.id} class="event event-message" style={left(m.mark.atMs)}
            title={`${m.message.sender}: ${m.message.text}`}>{'\u2709'}</span>
        ))}
        {open.model.annotations.list().filter((n) => n.mark.atMs > fromMs).map((n) => (
          <span key={n.mark.id} class="event event-note" style={left(n.mark.atMs)}
            title={`${n.annotation.actor}: ${n.annotation.text}`}>{'\u25b4'}</span>
        ))}
        {open.model.told.events().filter((e) => e.atMs > fromMs).map((e) => (
          <span key={e.id} class="event event-told" style={left(e.atMs)} title={eventWords(e)} role="img" aria-label={eventWords(e)}>{TOLD_LETTER[e.kind]}</span>
        ))}
        {open.model.notes.value.filter((n) => n.toMs !== undefined && n.toMs > fromMs).map((n) => (
          <span key={`${n.id}-span`} class="gap-span" title={n.text} aria-label={n.text} role="img"
            style={{ ...left(Math.max(fromMs, n.atMs)), width: `${(100 * (Math.min(toMs, n.toMs!) - Math.max(fromMs, n.atMs))) / (toMs - fromMs)}%` }} />
        ))}
        {open.model.notes.value.filter((n) => n.atMs > fromMs && n.toMs === undefined).map((n) => (
          <span key={n.id} class={`event event-${n.kind}`} style={left(n.atMs)} title={n.unrecorded ? `${n.text}, NOT RECORDED` : n.text}
            {...(n.kind === 'gap' ? { role: 'img', 'aria-label': n.text } : {})}>
            {n.kind === 'gap' ? '\u2573' : '\u2022'}
          </span>
        ))}
      </div>
    </section>
  );
}
