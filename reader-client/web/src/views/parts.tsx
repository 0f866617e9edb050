// Small pieces that several views share.

import { useEffect, useRef } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import { age, shortAge } from '../base/format.js';
import { saveFile } from '../base/save_file.js';
import type { Desk } from '../model/desk.js';
import { priorityLook } from '../model/words.js';
import type { AlertPriority } from '../wire/generated/remora/v1/alert_pb.js';

export const cls = (...names: (string | false | undefined)[]): string => names.filter(Boolean).join(' ');

// Sign of a priority. The word is there for those who do not see it.
export function Sign({ priority, calling }: { priority: AlertPriority; calling?: boolean }) {
  const look = priorityLook(priority);
  if (!look.sign) return null;
  return (
    <span class={cls('sign', `sign-${look.css}`, calling && 'calling')}>
      <span aria-hidden="true">{look.sign}</span>
      <span class="unseen">{look.word} priority</span>
    </span>
  );
}

// The age of a moment in the hub's time, read anew with each beat.
export function Age({ desk, atMs, short }: { desk: Desk; atMs: number; short?: boolean }) {
  void desk.beat.value;
  if (!(atMs > 0)) return <span class="number">{'\u2013'}</span>;
  const value = desk.hubNow() - atMs;
  return <span class="number">{short ? shortAge(value) : age(value)}</span>;
}

// A canvas that is painted in frames: when `paint` changes, when `watch` says so, on a new size.
export function Canvas(props: {
  desk: Desk; label: string; paint: (canvas: HTMLCanvasElement) => void; class?: string;
  onPoint?: (x: number | undefined) => void; onPick?: (x: number) => void;
}) {
  const ref = useRef<HTMLCanvasElement>(null);
  const latest = useRef(props.paint);
  latest.current = props.paint;
  const request = useRef(() => {
    if (ref.current) latest.current(ref.current);
  });
  useEffect(() => {
    const call = request.current;
    const observer = new ResizeObserver(() => props.desk.frame.paint(call));
    observer.observe(ref.current!);
    return () => {
      observer.disconnect();
      props.desk.frame.forget(call);
    };
  }, []);
  useEffect(() => {
    props.desk.frame.paint(request.current);
  });
  const part = (e: MouseEvent) => e.offsetX / Math.max(1, ref.current!.clientWidth);
  return (
    <div class={cls('canvas-box', props.class)}>
      <canvas
        ref={ref} role="img" aria-label={props.label}
        onMouseMove={props.onPoint && ((e) => props.onPoint!(part(e)))}
        onMouseLeave={props.onPoint && (() => props.onPoint!(undefined))}
        onClick={props.onPick && ((e) => props.onPick!(part(e)))} />
    </div>
  );
}

// A table for those who cannot see a canvas.
export function UnseenTable({ caption, head, rows }:
    { caption: string; head: string[]; rows: (string | number)[][] }) {
  return (
    <div class="unseen">
      <table>
        <caption>{caption}</caption>
        <thead><tr>{head.map((h) => <th scope="col" key={h}>{h}</th>)}</tr></thead>
        <tbody>
          {rows.map((row, i) => <tr key={i}>{row.map((cell, j) => <td key={j}>{cell}</td>)}</tr>)}
        </tbody>
      </table>
    </div>
  );
}

export function Key({ children }: { children: ComponentChildren }) {
  return <kbd aria-hidden="true">{children}</kbd>;
}

export function Notices({ desk }: { desk: Desk }) {
  const all = desk.notices.value;
  return (
    <div class="notices" role="status">
      {all.map((n) => (
        <p key={n.key}>
          {n.text}{' '}
          {n.file && <button class="plain" onClick={() => saveFile(n.file!.name, n.file!.bytes)}>Save it to a file</button>}{' '}
          <button class="plain" onClick={() => desk.dismiss(n.key)}>Close</button>
        </p>
      ))}
    </div>
  );
}
