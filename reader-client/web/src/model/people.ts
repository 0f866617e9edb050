// Who is in a case, as its summary lists them.

import type { CaseSummary } from '../wire/generated/remora/v1/directory_pb.js';
import { Role } from '../wire/generated/remora/v1/case_pb.js';
import { LinkCondition } from '../wire/generated/remora/v1/link_pb.js';
import { isOver } from './attention.js';

export interface Person {
  name: string;
  // The hub hears nothing of this reader: nobody knows whether it still reads.
  linkLost: boolean;
}

// A person of this role who is here, or none.
export function personOf(c: CaseSummary, role: Role): Person | undefined {
  const found = c.participants.find((p) => p.role === role && p.connected);
  return found && { name: found.displayName, linkLost: false };
}

// Who reads the case from elsewhere (common/fold/readers.h), in this order.
const READERS = [Role.NEUROPHYSIOLOGIST, Role.CENTRE];

// One who is here, and all whose link is lost. These stay when their session is found dead and `Presence` says LEFT,
// until the hub hears of them again: nobody has said that they stopped reading. In a case that is over no link counts.
export function readersOf(c: CaseSummary): Person[] {
  const over = isOver(c);
  const readers = READERS.flatMap((role) => c.participants.filter((p) => p.role === role))
    .map((p) => ({ name: p.displayName, connected: p.connected, linkLost: !over && p.link >= LinkCondition.LOST }));
  const here = readers.find((p) => p.connected && !p.linkLost);
  return [...(here ? [here] : []), ...readers.filter((p) => p.linkLost)].map(({ name, linkLost }) => ({ name, linkLost }));
}

// So many names fit on a tile.
const MOST_NAMED = 3;

// "Dr Ben; Dr Anna, LINK LOST".
export function readerWords(readers: Person[], none: string): string {
  if (readers.length === 0) return none;
  const words = readers.slice(0, MOST_NAMED).map((p) => (p.linkLost ? `${p.name}, LINK LOST` : p.name));
  const more = readers.length - words.length;
  return [...words, ...(more > 0 ? [`${more} more, LINK LOST`] : [])].join('; ');
}
