// What a case that is over is, and since when: nothing of it is due any more, so no age stands beside it.

import { timeOfDay } from '../base/format.js';
import { CaseStage, CaseTransition } from '../wire/generated/remora/v1/case_pb.js';
import type { CaseLifecycle } from '../wire/generated/remora/v1/case_pb.js';
import type { CaseSummary } from '../wire/generated/remora/v1/directory_pb.js';
import type { Id } from '../wire/record_id.js';
import { isOver } from './attention.js';
import { shortCertificateWords } from './certificate.js';
import { byOrder } from './stamp.js';
import type { Mark } from './stamp.js';
import { stageName } from './words.js';

const ENDS: Partial<Record<CaseTransition, CaseStage>> = {
  [CaseTransition.CLOSED]: CaseStage.CLOSED, [CaseTransition.SEALED]: CaseStage.SEALED, [CaseTransition.ABANDONED]: CaseStage.ABANDONED,
};

// The steps of the case that are on record.
export class StageBook {
  private readonly steps = new Map<Id, { mark: Mark; stage: CaseStage }>();

  clear(): void {
    this.steps.clear();
  }

  add(mark: Mark, step: CaseLifecycle): void {
    const stage = ENDS[step.transition];
    if (stage !== undefined && mark.seq !== 0n) this.steps.set(mark.id, { mark, stage });
  }

  // When the case came to this stage, in the hub's time; undefined: not known here.
  sinceMs(stage: CaseStage): number | undefined {
    return [...this.steps.values()].filter((s) => s.stage === stage).sort((a, b) => byOrder(a.mark, b.mark)).pop()?.mark.atMs;
  }
}

// "CLOSED 14:05, 12 records missing"; undefined while the case is not over.
export function overWords(c: CaseSummary | undefined, sinceMs: number | undefined): string | undefined {
  if (!c || !isOver(c)) return undefined;
  const stage = stageName(c.stage).toUpperCase();
  const certified = shortCertificateWords(c.certificate);
  return `${stage}${sinceMs === undefined ? '' : ` ${timeOfDay(sinceMs)}`}${certified === '' ? '' : `, ${certified}`}`;
}
