// How fresh what a case shows is: the worst of this page's link, its follow of the case, and the
// agent's link as the hub has it, on record (the summary) or not (what was shown).

import { CaseStage } from '../wire/generated/remora/v1/case_pb.js';
import type { CaseSummary } from '../wire/generated/remora/v1/directory_pb.js';
import { LinkCondition } from '../wire/generated/remora/v1/link_pb.js';
import type { LinkPhase } from '../wire/link_age.js';
import { isOver } from './attention.js';

// `absent`: no agent came to the case. `ended`: the hub does not let this page follow it now.
export type FreshnessKind = 'live' | 'stale' | 'absent' | 'lost' | 'unsupervised' | 'ended';

export interface Freshness {
  kind: FreshnessKind;
  whose: 'hub' | 'agent' | 'follow';
}

const ORDER: FreshnessKind[] = ['live', 'stale', 'absent', 'lost', 'unsupervised'];

// `shown`: the newest of the agent's link that was shown in the case, see CaseModel.agentLink.
export function freshness(
  link: LinkPhase, ended: string | undefined, summary: CaseSummary | undefined,
  shown: LinkCondition = LinkCondition.UNSPECIFIED): Freshness {
  const mine = link === 'connecting' ? 'stale' : link;
  // Without the hub nothing else is known.
  if (mine === 'lost' || mine === 'unsupervised') return { kind: mine, whose: 'hub' };
  if (ended !== undefined) return { kind: 'ended', whose: 'follow' };
  // Of a case that is over nothing is awaited: its agent has gone as it should.
  const awaited = summary !== undefined && !isOver(summary);
  const agent = awaited ? worse(agentFreshness(summary), CONDITION[shown]) : 'live';
  return ORDER.indexOf(mine) >= ORDER.indexOf(agent) ? { kind: mine, whose: 'hub' } : { kind: agent, whose: 'agent' };
}

const EXPECTED = [CaseStage.OPEN, CaseStage.CLOSING];

const CONDITION: Record<LinkCondition, FreshnessKind> = {
  [LinkCondition.UNSPECIFIED]: 'live', [LinkCondition.LIVE]: 'live', [LinkCondition.STALE]: 'stale',
  [LinkCondition.LOST]: 'lost', [LinkCondition.UNSUPERVISED]: 'unsupervised',
};

const worse = (a: FreshnessKind, b: FreshnessKind): FreshnessKind => (ORDER.indexOf(a) >= ORDER.indexOf(b) ? a : b);

function agentFreshness(c: CaseSummary): FreshnessKind {
  if (c.agentLink === LinkCondition.UNSPECIFIED) return EXPECTED.includes(c.stage) ? 'absent' : 'live';
  return CONDITION[c.agentLink] ?? 'live';
}
