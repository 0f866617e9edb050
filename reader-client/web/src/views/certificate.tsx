// The certificate of a closed case, in words.

import { isOver } from '../model/attention.js';
import { certificateWords } from '../model/certificate.js';
import type { OpenCase } from '../model/desk.js';
import { CaseStage } from '../wire/generated/remora/v1/case_pb.js';
import type { CaseSummary } from '../wire/generated/remora/v1/directory_pb.js';
import { cls } from './parts.js';

// What the hub has signed of a case that is closed.
export function CertificateBadge({ summary: c, open }: { summary: CaseSummary | undefined; open?: OpenCase }) {
  const certificate = c?.certificate;
  if (!c || (!isOver(c) && !certificate)) return null;
  if (!certificate || certificate.certificateIndex === 0) {
    return c.stage === CaseStage.CLOSED ? <span class="certificate certificate-none">No certificate yet</span> : null;
  }
  const full = open?.model.certificate.value;
  const gaps = full?.heads.reduce((sum, head) => sum + head.gaps.length, 0) ?? 0;
  return (
    <span class={cls('certificate', !certificate.complete && 'certificate-gaps')} title={full
      ? `${full.recordCount} records${gaps > 0 ? `, ${gaps} named gaps` : ''}${full.reason ? `; ${full.actor}: ${full.reason}` : ''}` : undefined}>
      {certificateWords(certificate, full)}
    </span>
  );
}
