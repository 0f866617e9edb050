// Who is in a case, as its summary lists them.

import type { CaseSummary } from '../wire/generated/remora/v1/directory_pb.js';
import type { Role } from '../wire/generated/remora/v1/case_pb.js';
import { LinkCondition } from '../wire/generated/remora/v1/link_pb.js';

export interface Person {
  name: string;
  // The hub hears nothing of this reader: nobody knows whether it still reads.
  linkLost: boolean;
}

// A person of this role who is here, or none; of several, one whose link is not lost.
export function personOf(c: CaseSummary, role: Role): Person | undefined {
  const here = c.participants.filter((p) => p.role === role && p.connected)
    .map((p) => ({ name: p.displayName, linkLost: p.link >= LinkCondition.LOST }));
  return here.find((p) => !p.linkLost) ?? here[0];
}

export function personWords(person: Person | undefined, none: string): string {
  if (!person) return none;
  return person.linkLost ? `${person.name}, LINK LOST` : person.name;
}
