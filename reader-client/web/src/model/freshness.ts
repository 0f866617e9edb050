// How fresh what a case shows is: the worst of this page's link, its follow of the case, and the
// agent's link as the hub has it.

import { CaseStage } from '../wire/generated/remora/v1/case_pb.js';
import type { CaseSummary } from '../wire/generated/remora/v1/directory_pb.js';
import { LinkCondition } from '../wire/generated/remora/v1/link_pb.js';
import type { LinkPhase } from '../wire/link_age.js';

// `absent`: no agent came to the case. `ended`: the hub does not let this page follow it now.
export type FreshnessKind = 'live' | 'stale' | 'absent' | 'lost' | 'unsupervised' | 'ended';

export interface Freshness {
  kind: FreshnessKind;
  whose: 'hub' | 'agent' | 'follow';
}

const ORDER: FreshnessKind[] = ['live', 'stale', 'absent', 'lost', 'unsupervised'];

export function freshness(link: LinkPhase, ended: string | undefined, summary: CaseSummary | undefined): Freshness {
  const mine = link === 'connecting' ? 'stale' : link;
  // Without the hub nothing else is known.
  if (mine === 'lost' || mine === 'unsupervised') return { kind: mine, whose: 'hub' };
  if (ended !== undefined) return { kind: 'ended', whose: 'follow' };
  const agent = agentFreshness(summary);
  return ORDER.indexOf(mine) >= ORDER.indexOf(agent) ? { kind: mine, whose: 'hub' } : { kind: agent, whose: 'agent' };
}

const EXPECTED = [CaseStage.OPEN, CaseStage.CLOSING];

function agentFreshness(c: CaseSummary | undefined): FreshnessKind {
  switch (c?.agentLink) {
    case LinkCondition.STALE: return 'stale';
    case LinkCondition.LOST: return 'lost';
    case LinkCondition.UNSUPERVISED: return 'unsupervised';
    case LinkCondition.UNSPECIFIED: return EXPECTED.includes(c.stage) ? 'absent' : 'live';
    default: return 'live';
  }
}
