import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { CaseStage, Role } from '../wire/generated/remora/v1/case_pb.js';
import { CaseSummarySchema } from '../wire/generated/remora/v1/directory_pb.js';
import { LinkCondition } from '../wire/generated/remora/v1/link_pb.js';
import { readersOf, readerWords } from './people.js';

const reader = (displayName: string, link = LinkCondition.UNSPECIFIED, connected = true, role = Role.NEUROPHYSIOLOGIST) =>
  ({ participant: displayName, displayName, role, connected, link });
const wordsAt = (stage: CaseStage, participants: ReturnType<typeof reader>[]) =>
  readerWords(readersOf(create(CaseSummarySchema, { stage, participants })), 'nobody');
const wordsOf = (...participants: ReturnType<typeof reader>[]) => wordsAt(CaseStage.OPEN, participants);

describe('people', () => {
  it('ReaderWhoseLinkIsLostIsNamedAsSuch', () => {
    expect(wordsOf(reader('Dr Anna'))).toBe('Dr Anna');
    expect(wordsOf(reader('Dr Anna', LinkCondition.LOST))).toBe('Dr Anna, LINK LOST');
    expect(wordsOf(reader('Dr Anna', LinkCondition.UNSUPERVISED))).toBe('Dr Anna, LINK LOST');
  });
  it('ReaderWhoIsThereIsNamedBeforeOneWhoseLinkIsLost', () => {
    expect(wordsOf(reader('Dr Anna', LinkCondition.LOST), reader('Dr Ben'))).toBe('Dr Ben; Dr Anna, LINK LOST');
  });
  it('ReaderWhoseLinkIsLostStaysAfterTheSessionIsFoundDeadAndWhoLeftInOrderDoesNot', () => {
    expect(wordsOf(reader('Dr Anna', LinkCondition.LOST, false))).toBe('Dr Anna, LINK LOST');
    expect(wordsOf(reader('Dr Anna', LinkCondition.UNSUPERVISED, false), reader('Dr Ben'))).toBe('Dr Ben; Dr Anna, LINK LOST');
    expect(wordsOf(reader('Dr Anna', LinkCondition.UNSPECIFIED, false))).toBe('nobody');
  });
  it('CentreReadsTooBehindANeurophysiologist', () => {
    const centre = (link = LinkCondition.UNSPECIFIED, connected = true) => reader('North centre', link, connected, Role.CENTRE);
    expect(wordsOf(centre())).toBe('North centre');
    expect(wordsOf(centre(LinkCondition.LOST, false))).toBe('North centre, LINK LOST');
    expect(wordsOf(centre(), reader('Dr Anna'))).toBe('Dr Anna');
    expect(wordsOf(centre(), reader('Dr Anna', LinkCondition.LOST, false))).toBe('North centre; Dr Anna, LINK LOST');
    expect(wordsOf(reader('Team', LinkCondition.LOST, true, Role.SURGICAL_TEAM))).toBe('nobody');
  });
  it('OfManyWhoseLinksAreLostTheRestIsCounted', () => {
    expect(wordsOf(...['A', 'B', 'C', 'D', 'E'].map((name) => reader(name, LinkCondition.LOST))))
      .toBe('A, LINK LOST; B, LINK LOST; C, LINK LOST; 2 more, LINK LOST');
  });
  it('InACaseThatIsOverNoLinkIsLost', () => {
    for (const stage of [CaseStage.CLOSED, CaseStage.SEALED, CaseStage.ABANDONED]) {
      expect(wordsAt(stage, [reader('Dr Anna', LinkCondition.LOST, false)])).toBe('nobody');
      expect(wordsAt(stage, [reader('Dr Anna', LinkCondition.LOST)])).toBe('Dr Anna');
    }
    expect(wordsAt(CaseStage.CLOSING, [reader('Dr Anna', LinkCondition.LOST, false)])).toBe('Dr Anna, LINK LOST');
  });
});
