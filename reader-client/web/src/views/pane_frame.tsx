// The frame of a pane: its name and facts, gain and timebase, and whether it is live, held, or stale.

import type { ComponentChildren } from 'preact';
import { stopwatch, timeOfDay } from '../base/format.js';
import type { Desk, OpenCase } from '../model/desk.js';
import { EMG_GAINS_UV, EMG_SPANS_MS, EVOKED_GAINS_UV, EVOKED_SPANS_MS, step } from '../render/scale.js';
import { Modality } from '../wire/generated/remora/v1/waveform_pb.js';
import { cls } from './parts.js';

export const isEmg = (m: Modality): boolean => m === Modality.EMG_FREE_RUNNING;

// One step of gain (up: the trace grows) or of what is shown across.
export function changeGain(open: OpenCase, modality: Modality, by: 1 | -1): void {
  const list = isEmg(modality) ? EMG_GAINS_UV : EVOKED_GAINS_UV;
  const now = open.screen.setting(modality).uvPerDivision;
  open.screen.change(modality, { uvPerDivision: step(list, now, by === 1 ? -1 : 1) });
}

export function changeSpan(open: OpenCase, modality: Modality, by: 1 | -1): void {
  const list = isEmg(modality) ? EMG_SPANS_MS : EVOKED_SPANS_MS;
  const now = open.screen.setting(modality).spanMs;
  open.screen.change(modality, { spanMs: step(list, now, by) });
}

export function PaneFrame(props: {
  desk: Desk; open: OpenCase; modality: Modality; title: string; facts: ComponentChildren;
  class: string; children: ComponentChildren;
}) {
  const { desk, open, modality } = props;
  const held = open.screen.held.value;
  const review = open.screen.review.value;
  const active = open.screen.active.value === modality;
  const button = (label: string, text: string, press: () => void) => (
    <button class="tool" aria-label={`${props.title}: ${label}`} title={label} onClick={press}>{text}</button>
  );
  return (
    <section class={cls('pane', props.class, (held || review) && 'pane-held', active && 'pane-active')}
      aria-label={props.title} onPointerDown={() => (open.screen.active.value = modality)}>
      <header class="pane-head">
        <h2>{props.title}</h2>
        <span class="tools">
          {button('more gain', '+', () => changeGain(open, modality, 1))}
          {button('less gain', '\u2212', () => changeGain(open, modality, -1))}
          {button('shorter time', '\u2192\u2190', () => changeSpan(open, modality, -1))}
          {button('longer time', '\u2190\u2192', () => changeSpan(open, modality, 1))}
        </span>
        <span class="facts">{props.facts}</span>
        {review && <b class="held">REVIEW {timeOfDay(review.atMs(), true)}</b>}
        {held && <HeldBadge desk={desk} sinceMs={held.atMs} />}
      </header>
      {props.children}
    </section>
  );
}

function HeldBadge({ desk, sinceMs }: { desk: Desk; sinceMs: number }) {
  void desk.beat.value;
  return <b class="held">REVIEW {'\u2212'}{stopwatch(desk.hubNow() - sinceMs)}</b>;
}
