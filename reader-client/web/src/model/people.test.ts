import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { Role } from '../wire/generated/remora/v1/case_pb.js';
import { CaseSummarySchema } from '../wire/generated/remora/v1/directory_pb.js';
import { LinkCondition } from '../wire/generated/remora/v1/link_pb.js';
import { personOf, personWords } from './people.js';

const reader = (displayName: string, link = LinkCondition.UNSPECIFIED, connected = true) =>
  ({ participant: displayName, displayName, role: Role.NEUROPHYSIOLOGIST, connected, link });
const wordsOf = (...participants: ReturnType<typeof reader>[]) =>
  personWords(personOf(create(CaseSummarySchema, { participants }), Role.NEUROPHYSIOLOGIST), 'nobody');

describe('people', () => {
  it('ReaderWhoseLinkIsLostIsNamedAsSuch', () => {
    expect(wordsOf(reader('Dr Anna'))).toBe('Dr Anna');
    expect(wordsOf(reader('Dr Anna', LinkCondition.LOST))).toBe('Dr Anna, LINK LOST');
    expect(wordsOf(reader('Dr Anna', LinkCondition.UNSUPERVISED))).toBe('Dr Anna, LINK LOST');
  });
  it('ReaderWhoIsThereIsNamedBeforeOneWhoseLinkIsLost', () => {
    expect(wordsOf(reader('Dr Anna', LinkCondition.LOST), reader('Dr Ben'))).toBe('Dr Ben');
  });
  it('WhoHasGoneIsNobody', () => {
    expect(wordsOf(reader('Dr Anna', LinkCondition.LOST, false))).toBe('nobody');
  });
});
