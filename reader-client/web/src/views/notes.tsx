// Annotations, and the small forms beside them: a new annotation, a new baseline. They stand in the
// column and cover nothing.

import { useEffect, useRef } from 'preact/hooks';
import { useSignal } from '@preact/signals';
import { timeOfDay } from '../base/format.js';
import { annotate, MESSAGE_BYTES, REASON_BYTES, setBaseline } from '../model/acts.js';
import type { Desk, OpenCase } from '../model/desk.js';
import { modalityName, sideWord } from '../model/words.js';
import { BaselineKind } from '../wire/generated/remora/v1/case_pb.js';
import { ByteCount, fits } from './byte_count.js';
import { summaryOf } from './case_header.js';
import { cls } from './parts.js';

const SHOWN_NOTES = 6;
const SHOWN_STEPS = 2;

export function Notes({ desk, open }: { desk: Desk; open: OpenCase }) {
  void open.model.annotations.version.value;
  const all = open.model.annotations.list();
  return (
    <section class="notes" aria-label="Annotations">
      <header class="side-head"><h2>Annotations</h2> <span class="calm">{all.length === 0 ? 'none' : all.length}</span></header>
      <AnnotateForm desk={desk} open={open} />
      <BaselineForm desk={desk} open={open} />
      <ul>
        {open.model.clockSteps.value.slice(-SHOWN_STEPS).map((s) => (
          <li key={s.id} class="technical"><span class="number">{timeOfDay(s.beforeMs)}</span> <small>{open.model.clocks.words(s, summaryOf(desk, open)?.theatre ?? '')}</small></li>
        ))}
        {all.slice(0, SHOWN_NOTES).map(({ mark, annotation: a }) => {
          const trace = open.model.traces.get(a.traceId);
          return (
            <li key={mark.id} class={cls(mark.pending && 'pending')}>
              <span class="number">{timeOfDay(mark.atMs)}</span> {a.text}{' '}
              <small>
                {trace && `${sideWord(trace.side)} ${trace.name}`}
                {a.hasPlace && ` at ${a.atLatencyMs.toFixed(1)} ms`} {'\u00b7'} {a.actor}
                {mark.pending && ' (sending)'}
              </small>
              {mark.unrecorded && <b class="unrecorded"> NOT RECORDED</b>}
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function AnnotateForm({ desk, open }: { desk: Desk; open: OpenCase }) {
  const target = open.screen.target.value;
  const text = useSignal('');
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (target) field.current?.focus();
  }, [target]);
  if (!target) return null;
  const close = () => {
    open.screen.target.value = undefined;
    text.value = '';
  };
  return (
    <form class="inline-form" aria-label="New annotation" onSubmit={(e) => {
      e.preventDefault();
      if (text.value.trim() === '' || !fits(text.value, MESSAGE_BYTES)) return;
      void annotate(desk, open, target, text.value);
      close();
    }} onKeyDown={(e) => e.key === 'Escape' && close()}>
      <label>
        <span>Annotation on {target.words}</span>
        <input ref={field} type="text" value={text.value} onInput={(e) => (text.value = e.currentTarget.value)} />
      </label>
      <ByteCount text={text.value} limit={MESSAGE_BYTES} />
      <div class="buttons">
        <button type="submit" class="primary" disabled={text.value.trim() === '' || !fits(text.value, MESSAGE_BYTES)}>Annotate in {summaryOf(desk, open)?.theatre}</button>
        <button type="button" onClick={close}>Cancel</button>
      </div>
    </form>
  );
}

function BaselineForm({ desk, open }: { desk: Desk; open: OpenCase }) {
  const reason = useSignal('');
  const kind = useSignal(BaselineKind.REBASELINE);
  const left = useSignal<ReadonlySet<string>>(new Set());
  const field = useRef<HTMLInputElement>(null);
  const isOpen = open.screen.baselineOpen.value;
  useEffect(() => {
    if (isOpen) field.current?.focus();
  }, [isOpen]);
  if (!isOpen) return null;
  void open.model.traces.version.value;
  const traces = open.model.traces.list().filter((t) => t.finished.length > 0);
  const chosen = traces.filter((t) => !left.value.has(t.id));
  const close = () => {
    open.screen.baselineOpen.value = false;
    reason.value = '';
  };
  const theatre = summaryOf(desk, open)?.theatre ?? '';
  const ready = reason.value.trim() !== '' && fits(reason.value, REASON_BYTES) && chosen.length > 0;
  return (
    <form class="inline-form" aria-label="New baseline" onKeyDown={(e) => e.key === 'Escape' && close()}
      onSubmit={(e) => {
        e.preventDefault();
        if (!ready) return;
        for (const t of chosen) void setBaseline(desk, open, t, kind.value, reason.value);
        close();
      }}>
      <fieldset>
        <legend>New baseline from the newest finished average</legend>
        {traces.map((t) => (
          <label key={t.id} class="check">
            <input type="checkbox" checked={!left.value.has(t.id)} onChange={(e) => {
              const next = new Set(left.value);
              if (e.currentTarget.checked) next.delete(t.id);
              else next.add(t.id);
              left.value = next;
            }} /> {sideWord(t.side)} {t.name} <small>{modalityName(t.modality)}</small>
          </label>
        ))}
        {traces.length === 0 && <p class="calm">No average has been finished yet.</p>}
      </fieldset>
      <label><span>Kind</span>
        <select value={kind.value} onChange={(e) => (kind.value = Number(e.currentTarget.value))}>
          <option value={BaselineKind.REBASELINE}>Re-baseline</option>
          <option value={BaselineKind.PRE_INCISION}>Pre-incision</option>
        </select>
      </label>
      <label><span>Reason (required)</span>
        <input ref={field} type="text" value={reason.value} onInput={(e) => (reason.value = e.currentTarget.value)} />
      </label>
      <ByteCount text={reason.value} limit={REASON_BYTES} />
      <div class="buttons">
        <button type="submit" class="primary" disabled={!ready}>
          Set {chosen.length} in {theatre}
        </button>
        <button type="button" onClick={close}>Cancel</button>
      </div>
    </form>
  );
}
