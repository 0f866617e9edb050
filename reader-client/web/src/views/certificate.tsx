// The certificate of a closed case, in words; behind it, what it names.

import { useEffect, useRef } from 'preact/hooks';
import { useSignal } from '@preact/signals';
import { isOver } from '../model/attention.js';
import { certificateWords } from '../model/certificate.js';
import type { OpenCase } from '../model/desk.js';
import { gapRows } from '../model/gap_words.js';
import { CaseStage } from '../wire/generated/remora/v1/case_pb.js';
import type { CaseSummary } from '../wire/generated/remora/v1/directory_pb.js';
import type { Certificate } from '../wire/generated/remora/v1/link_pb.js';
import { cls } from './parts.js';

// More are for a program to look through.
const MOST_ROWS = 60;

// What the hub has signed of a case that is closed. With the certificate itself at hand it opens.
export function CertificateBadge({ summary: c, open }: { summary: CaseSummary | undefined; open?: OpenCase }) {
  const shown = useSignal(false);
  const badge = useRef<HTMLButtonElement>(null);
  const certificate = c?.certificate;
  if (!c || (!isOver(c) && !certificate)) return null;
  if (!certificate || certificate.certificateIndex === 0) {
    return c.stage === CaseStage.CLOSED ? <span class="certificate certificate-none">No certificate yet</span> : null;
  }
  const full = open?.model.certificate.value;
  const look = cls('certificate', !certificate.complete && 'certificate-gaps');
  const words = certificateWords(certificate, full);
  if (!open || !full) return <span class={look}>{words}</span>;
  const close = () => {
    shown.value = false;
    badge.current?.focus();
  };
  return (
    <>
      <button ref={badge} class={look} aria-expanded={shown.value} aria-haspopup="dialog" onClick={() => (shown.value = !shown.value)}>{words}</button>
      {shown.value && <CertificateSheet words={words} certificate={full} open={open} onClose={close} />}
    </>
  );
}

function CertificateSheet({ words, certificate, open, onClose }:
    { words: string; certificate: Certificate; open: OpenCase; onClose: () => void }) {
  void open.model.notes.value;
  const first = useRef<HTMLButtonElement>(null);
  useEffect(() => first.current?.focus(), []);
  const rows = gapRows(certificate, open.model.gaps);
  return (
    <section class="sheet certificate-sheet" role="dialog" aria-label="What the certificate names"
      onKeyDown={(e) => e.key === 'Escape' && (e.stopPropagation(), onClose())}>
      <h2>{words}</h2>
      <p><span class="number">{String(certificate.recordCount)}</span> records are on record, signed by the hub.
        {certificate.reason && <> Closed with gaps by <b>{certificate.actor}</b>: {certificate.reason}</>}</p>
      {rows.length === 0 ? <p>No record of those that are counted is missing.</p> : (
        <table>
          <thead><tr>{['Whose', 'What', 'Numbers', 'Records', 'Why', 'When'].map((h) => <th scope="col" key={h}>{h}</th>)}</tr></thead>
          <tbody>
            {rows.slice(0, MOST_ROWS).map((r, i) => (
              <tr key={i} class={r.late ? 'late-row' : undefined}>
                <td>{r.whose}</td><td>{r.what}</td><td class="number">{r.numbers}</td><td class="number">{String(r.count)}</td>
                <td>{r.why}</td><td class="number">{r.when}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {rows.length > MOST_ROWS && <p>And <span class="number">{rows.length - MOST_ROWS}</span> more: <code>remora verify</code> lists all.</p>}
      <button ref={first} onClick={onClose}>Close</button>
    </section>
  );
}
