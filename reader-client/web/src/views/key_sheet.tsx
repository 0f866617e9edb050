// The keys, and the switch that turns single keys off.

import { useEffect, useRef } from 'preact/hooks';

const KEYS: [string, string][] = [
  ['1\u20139', 'wall: open a case; case: one modality, again for all'],
  ['A', 'acknowledge the first alert once its evidence was on the screen for a second (undo for 5 s)'],
  ['T', 'write the alert to the theatre; Enter sends'],
  ['M', 'write a message'],
  ['N', 'annotate the case; click a trace to annotate a place on it'],
  ['B', 'set a baseline, with a reason'],
  ['\u2191 \u2193', 'gain of the chosen pane'],
  ['\u2190 \u2192', 'time across of the chosen pane'],
  ['Space', 'hold the view; the case goes on'],
  ['L', 'look at it live'],
  ['W', 'back to the wall'],
  ['?', 'this sheet'],
];

export function KeySheet({ enabled, onToggle, onClose }:
    { enabled: boolean; onToggle: (on: boolean) => void; onClose: () => void }) {
  const close = useRef<HTMLButtonElement>(null);
  useEffect(() => close.current?.focus(), []);
  return (
    <section class="sheet" role="dialog" aria-label="Keys" onKeyDown={(e) => e.key === 'Escape' && onClose()}>
      <h2>Keys</h2>
      <dl>{KEYS.map(([key, what]) => <div key={key}><dt><kbd>{key}</kbd></dt><dd>{what}</dd></div>)}</dl>
      <label class="check">
        <input type="checkbox" checked={enabled} onChange={(e) => onToggle(e.currentTarget.checked)} /> Single keys are on
      </label>
      <button ref={close} onClick={onClose}>Close</button>
    </section>
  );
}
