// What the certificate of a closed case says, in words. "Complete" alone is said of a record that nothing was left out
// of; what its origin gave up, and what the hub refused, is counted beside it.

import { NamedGapCause } from '../wire/generated/remora/v1/link_pb.js';
import type { Certificate } from '../wire/generated/remora/v1/link_pb.js';
import type { CertificateSummary } from '../wire/generated/remora/v1/directory_pb.js';

export interface LeftOut {
  missing: bigint;
  givenUp: bigint;
  refused: bigint;
}

export function leftOut(certificate: Certificate): LeftOut {
  const out: LeftOut = { missing: 0n, givenUp: 0n, refused: 0n };
  for (const head of certificate.heads) {
    for (const gap of head.gaps) {
      const count = gap.lastOriginSeq - gap.firstOriginSeq + 1n;
      if (gap.cause === NamedGapCause.DATA_GAP) out.givenUp += count;
      else if (gap.cause === NamedGapCause.REFUSED) out.refused += count;
      else out.missing += count;
    }
  }
  return out;
}

const UNSAID = 'an agent has not said what it made';
const missingWords = (n: bigint): string => (n === 1n ? '1 record missing' : `${n} records missing`);
const counted = (n: bigint, word: string): string[] => (n === 0n ? [] : [`${n} ${word}`]);

// For small places: "complete", "none missing" where something was given up or refused, "12 records missing".
export function shortCertificateWords(c: CertificateSummary | undefined): string {
  if (!c || c.certificateIndex === 0) return '';
  if (c.complete) return c.givenUpCount === 0n && c.refusedCount === 0n ? 'complete' : 'none missing';
  return c.missingCount === 0n ? UNSAID : missingWords(c.missingCount);
}

// What somebody who seals the case is told before; empty where nothing is missing.
export function missingSentence(c: CertificateSummary | undefined): string {
  if (!c || c.certificateIndex === 0 || c.complete) return '';
  if (c.missingCount === 0n) return 'An agent has not said what it made.';
  return c.missingCount === 1n ? '1 record is missing.' : `${c.missingCount} records are missing.`;
}

// `record`: the certificate itself, where the case is open here; a tile of the wall has the summary alone.
export function certificateWords(summary: CertificateSummary, record?: Certificate): string {
  const name = `Certificate ${summary.certificateIndex}`;
  if (record?.certificateIndex !== summary.certificateIndex) {
    const others = [...counted(summary.givenUpCount, 'given up'), ...counted(summary.refusedCount, 'refused')];
    if (summary.complete) return `${name}: ${['none missing', ...others].join(', ')}`;
    return `${name}: with gaps, ${[summary.missingCount === 0n ? UNSAID : missingWords(summary.missingCount), ...others].join(', ')}`;
  }
  const { missing, givenUp, refused } = leftOut(record);
  const parts = [...(missing === 0n ? [] : [missingWords(missing)]), ...counted(givenUp, 'given up'), ...counted(refused, 'refused')];
  if (record.complete) return `${name}: complete${parts.length > 0 ? ` but for ${parts.join(', ')}` : ''}`;
  return `${name}: with gaps, ${missing === 0n ? [UNSAID, ...parts].join(', ') : parts.join(', ')}`;
}
