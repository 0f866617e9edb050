import fc from 'fast-check';
import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { FakeClock } from '../base/clock.js';
import { TICK_MS } from '../base/ticker.js';
import { CaseStage } from '../wire/generated/remora/v1/case_pb.js';
import { CaseSummarySchema } from '../wire/generated/remora/v1/directory_pb.js';
import { LinkCondition } from '../wire/generated/remora/v1/link_pb.js';
import { RecordSchema } from '../wire/generated/remora/v1/record_pb.js';
import { LinkAge, STALE_MS } from '../wire/link_age.js';
import type { LinkPhase } from '../wire/link_age.js';
import { agentTrouble } from './attention.js';
import { CaseModel } from './case_model.js';
import { freshness } from './freshness.js';

// What happens to a page: time passes, the hub is heard, the machine sleeps, the page is drawn anew.
type Step = { what: 'pass' | 'hear' | 'sleep'; ms: number };
const steps = fc.array(fc.record({
  what: fc.constantFrom<Step['what']>('pass', 'pass', 'hear', 'sleep'), ms: fc.integer({ min: 0, max: 15_000 }) }), { maxLength: 60 });
const summary = fc.record({
  stage: fc.constantFrom(CaseStage.OPEN, CaseStage.CLOSING, CaseStage.CLOSED, CaseStage.SCHEDULED),
  agentLink: fc.constantFrom(LinkCondition.UNSPECIFIED, LinkCondition.LIVE, LinkCondition.STALE, LinkCondition.LOST) });

describe('No frozen picture looks live', () => {
  it('WhateverHappensNothingIsDrawnAsLiveOnALinkThatIsOlderThan2s', () => {
    fc.assert(fc.property(steps, summary, fc.option(fc.constant('the hub ended it')), (story, s, ended) => {
      const clock = new FakeClock();
      const age = new LinkAge(clock);
      const of = create(CaseSummarySchema, s);
      // As the desk does it: the phase is taken with each tick, and drawn until the next.
      let drawn: LinkPhase = age.phase(TICK_MS);
      let sinceTick = 0;
      const draw = () => {
        const kind = freshness(drawn, ended ?? undefined, of).kind;
        if (age.ageMs() > STALE_MS) expect(kind).not.toBe('live');
      };
      for (const step of story) {
        if (step.what === 'hear') age.heard();
        // A sleep is noticed with the tick that ends it, before anything is drawn.
        if (step.what === 'sleep') { clock.sleep(step.ms); age.slept(step.ms); drawn = age.phase(TICK_MS); }
        for (let left = step.what === 'pass' ? step.ms : 0; left > 0;) {
          const part = Math.min(left, TICK_MS - sinceTick);
          clock.advance(part);
          left -= part;
          sinceTick += part;
          if (sinceTick === TICK_MS) { sinceTick = 0; drawn = age.phase(TICK_MS); }
          draw();
        }
        draw();
      }
    }), { numRuns: 2_000, seed: 20260101 });
  });

  it('NorIsAnAgentThatIsAwayCalledLiveWhetherThatIsOnRecordOrNot', () => {
    const links = [LinkCondition.UNSPECIFIED, LinkCondition.LIVE, LinkCondition.STALE, LinkCondition.LOST, LinkCondition.UNSUPERVISED];
    const away = (l: LinkCondition | undefined) => l !== undefined && l >= LinkCondition.STALE;
    fc.assert(fc.property(
      fc.array(fc.record({ condition: fc.constantFrom(...links.slice(1)), recorded: fc.boolean(), own: fc.boolean() }), { maxLength: 12 }),
      (story) => {
        const model = new CaseModel();
        let seq = 0n;
        let committed: LinkCondition = LinkCondition.LIVE;
        let newest: LinkCondition | undefined;
        for (const [i, step] of story.entries()) {
          if (step.recorded) seq++;
          model.onRecord(create(RecordSchema, {
            origin: new Uint8Array(16), lane: 1, originSeq: BigInt(i + 1), body: { case: 'linkState', value: { participant: 'agent', condition: step.condition, ownView: step.own } },
            stamp: { epoch: 1, seq: step.recorded ? seq : 0n, recordedUnixNs: BigInt(i), unrecorded: !step.recorded } }));
          if (step.own) continue;
          newest = step.condition;
          if (step.recorded) committed = step.condition;
        }
        const of = create(CaseSummarySchema, { stage: CaseStage.OPEN, agentLink: committed });
        const kind = freshness('live', undefined, of, model.agentLink.value).kind;
        expect(kind === 'live').toBe(!away(newest) && !away(committed));
        expect(agentTrouble(of, model.agentLink.value) === undefined).toBe(kind === 'live');
      }), { numRuns: 2_000, seed: 20260102 });
  });

  it('AndALiveLinkIsStillCalledLive', () => {
    const clock = new FakeClock();
    const age = new LinkAge(clock);
    age.heard();
    clock.advance(1_100);
    expect(age.phase(TICK_MS)).toBe('live');
  });
});
