import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { CaseStage } from '../wire/generated/remora/v1/case_pb.js';
import { CaseSummarySchema } from '../wire/generated/remora/v1/directory_pb.js';
import { LinkCondition } from '../wire/generated/remora/v1/link_pb.js';
import { freshness } from './freshness.js';

const agent = (agentLink: LinkCondition, stage = CaseStage.OPEN) => create(CaseSummarySchema, { agentLink, stage });
const live = agent(LinkCondition.LIVE);

describe('How fresh a case is', () => {
  it('IsTheWorseOfThisLinkAndTheAgents', () => {
    expect(freshness('live', undefined, live)).toEqual({ kind: 'live', whose: 'hub' });
    expect(freshness('stale', undefined, live)).toEqual({ kind: 'stale', whose: 'hub' });
    expect(freshness('stale', undefined, agent(LinkCondition.LOST))).toEqual({ kind: 'lost', whose: 'agent' });
    expect(freshness('unsupervised', undefined, agent(LinkCondition.LOST))).toEqual({ kind: 'unsupervised', whose: 'hub' });
  });
  it('IsNotLiveWhenTheFollowEnded', () => {
    expect(freshness('live', 'the case is busy', live)).toEqual({ kind: 'ended', whose: 'follow' });
    expect(freshness('stale', 'the case is busy', agent(LinkCondition.LOST))).toEqual({ kind: 'ended', whose: 'follow' });
    expect(freshness('lost', 'the case is busy', live)).toEqual({ kind: 'lost', whose: 'hub' });
  });
  it('IsNotLiveWhereNoAgentCameToAnOpenCase', () => {
    expect(freshness('live', undefined, agent(LinkCondition.UNSPECIFIED))).toEqual({ kind: 'absent', whose: 'agent' });
    expect(freshness('live', undefined, agent(LinkCondition.UNSPECIFIED, CaseStage.SCHEDULED)).kind).toBe('live');
    expect(freshness('live', undefined, undefined).kind).toBe('live');
  });
  it('AsksForNoAgentOfACaseThatIsOver', () => {
    for (const stage of [CaseStage.CLOSED, CaseStage.SEALED, CaseStage.ABANDONED]) {
      expect(freshness('live', undefined, agent(LinkCondition.UNSUPERVISED, stage), LinkCondition.LOST)).toEqual({ kind: 'live', whose: 'hub' });
      expect(freshness('lost', undefined, agent(LinkCondition.LIVE, stage)).kind).toBe('lost');
    }
    expect(freshness('live', undefined, agent(LinkCondition.LIVE, CaseStage.CLOSING), LinkCondition.LOST).kind).toBe('lost');
  });
});
