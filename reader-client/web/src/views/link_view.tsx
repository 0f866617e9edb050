// How old what one sees is: words for the link of this page.

import { age, boundWords } from '../base/format.js';
import type { Desk } from '../model/desk.js';
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
