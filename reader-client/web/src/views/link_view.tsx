// How old what one sees is: words for the link of this page.

import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { age, boundWords } from '../base/format.js';
import type { Desk, OpenCase } from '../model/desk.js';
import { rateWords } from '../model/left_out.js';
import { cls } from './parts.js';

export const LINK_WORD = {
  connecting: 'CONNECTING', live: 'LIVE', stale: 'STALE', lost: 'LINK LOST', unsupervised: 'UNSUPERVISED',
  absent: 'AGENT NOT CONNECTED', ended: 'NOT FOLLOWED',
} as const;

export function LinkBadge({ desk }: { desk: Desk }) {
  void desk.beat.value;
  const phase = desk.link.value;
  const bound = desk.clockBoundMs();
  return (
    <span class={cls('link', `link-${phase}`)}
      title={bound === undefined ? 'The hub\u2019s time is not known yet' : `The hub\u2019s time, ${boundWords(bound)}`}>
      <strong>{LINK_WORD[phase]}</strong>{' '}
      <span class="number">{age(desk.linkAgeMs())}</span>
    </span>
  );
}

// The badge of a case: behind it, how much the link carries, and less of the case for a link that carries little.
export function LinkMenu({ desk, open }: { desk: Desk; open: OpenCase }) {
  const shown = useSignal(false);
  const badge = useRef<HTMLButtonElement>(null);
  const close = () => {
    shown.value = false;
    badge.current?.focus();
  };
  return (
    <>
      <button ref={badge} class="plain link-button" aria-expanded={shown.value} aria-haspopup="dialog" title="The link of this screen"
        onClick={() => (shown.value = !shown.value)}><LinkBadge desk={desk} /></button>
      {shown.value && <LinkSheet desk={desk} open={open} onClose={close} />}
    </>
  );
}

function LinkSheet({ desk, open, onClose }: { desk: Desk; open: OpenCase; onClose: () => void }) {
  void desk.beat.value;
  const first = useRef<HTMLButtonElement>(null);
  useEffect(() => first.current?.focus(), []);
  const lighter = open.model.leftOut.lighter.value;
  return (
    <section class="sheet link-sheet" role="dialog" aria-label="The link of this screen"
      onKeyDown={(e) => e.key === 'Escape' && (e.stopPropagation(), onClose())}>
      <h2>Link</h2>
      <p>Last sign of life <span class="number">{age(desk.linkAgeMs())}</span> ago. Came in the last 5 s: <span class="number">{rateWords(desk.linkBitsPerSecond()) || 'nothing'}</span>.
        {' '}The hub{'\u2019'}s time is {desk.clockBoundMs() === undefined ? 'not known yet' : boundWords(desk.clockBoundMs()).replace('which is ', '')}.</p>
      <p>{lighter ? 'LIGHTER: this screen asks for no EMG, and for fewer sweeps.' : 'Lighter asks for no EMG and for fewer sweeps on this screen.'}
        {' '}Alerts, messages and measurements come all the same, and everything is on record.</p>
      <div class="buttons">
        <button ref={first} onClick={() => desk.lighten(open, !lighter)}>{lighter ? 'Everything again' : 'Lighter'}</button>
        <button onClick={onClose}>Close</button>
      </div>
    </section>
  );
}

// Covers a page whose link is lost; what was last known stays readable behind it.
export function LostCover({ desk }: { desk: Desk }) {
  const phase = desk.link.value;
  if (phase !== 'lost' && phase !== 'unsupervised') return null;
  void desk.beat.value;
  return (
    <div class={cls('cover', phase === 'unsupervised' && 'cover-unsupervised')} role="alert">
      <strong>{phase === 'lost' ? 'LINK LOST' : 'UNSUPERVISED'}</strong>
      <span class="number"> {age(desk.linkAgeMs())} ago</span>
      <p>{phase === 'lost'
        ? 'What you see is the last that came. Connecting again by itself.'
        : 'Nobody reads from here. Call the theatre by telephone. Connecting again by itself.'}</p>
    </div>
  );
}
