// What a theatre's display shows: which case, which message, and when it sounds for one.

import { CaseStage } from '../wire/generated/remora/v1/case_pb.js';
import type { CaseSummary } from '../wire/generated/remora/v1/directory_pb.js';
import { MessageKind } from '../wire/generated/remora/v1/message_pb.js';
import { idFrom } from '../wire/record_id.js';
import type { Id } from '../wire/record_id.js';
import { readBy } from './talk.js';
import type { MessageView } from './talk.js';

const OPEN = [CaseStage.OPEN, CaseStage.CLOSING];
export const isOpenCase = (c: CaseSummary): boolean => OPEN.includes(c.stage);

// A display never goes to another case by itself: when its own is over, somebody is asked.
// `seenBefore`: the case was in the directory while this page was open; a directory that comes in
// parts may lack it for a moment.
export function caseToShow(
  chosen: string | undefined, cases: ReadonlyMap<string, CaseSummary>, known: boolean, seenBefore: boolean):
    string | undefined {
  if (chosen === undefined) return undefined;
  const summary = cases.get(chosen);
  if (!summary) return known && !seenBefore ? undefined : chosen;
  return isOpenCase(summary) ? chosen : undefined;
}

export interface TheatreTalk {
  shown: MessageView | undefined;
  // Not yet seen, besides the one shown.
  more: number;
  unseen: MessageView[];
  // All others, the newest first.
  others: MessageView[];
}

// The oldest urgent message that was not seen, then the oldest other one; else the last that came.
// `stay`: is shown in any case, while somebody answers it.
export function theatreTalk(all: MessageView[], me: string, stay?: Id): TheatreTalk {
  const coming = all.filter((m) => m.message.sender !== me && m.message.kind !== MessageKind.SYSTEM);
  const unseen = coming.filter((m) => !seenBy(m, me));
  const shown = coming.find((m) => m.mark.id === stay) ?? unseen.find((m) => m.message.urgent) ?? unseen[0] ??
    coming[coming.length - 1];
  return {
    shown, unseen, more: unseen.filter((m) => m !== shown).length,
    others: coming.filter((m) => m !== shown).reverse(),
  };
}

export const seenBy = (m: MessageView, me: string) => readBy(m).find((r) => r.recipient === me);

export const answersTo = (all: MessageView[], m: MessageView, me: string): MessageView[] =>
  all.filter((a) => a.message.sender === me && idFrom(a.message.inReplyTo) === m.mark.id);

// An urgent message sounds again and again until it is seen, any other one once.
const AGAIN_MS = 8_000;

export class ChimePlan {
  private readonly known = new Set<Id>();
  private lastMs = -Infinity;

  // Called with each tick.
  isDue(unseen: MessageView[], nowMs: number): boolean {
    const fresh = unseen.filter((m) => !this.known.has(m.mark.id));
    for (const m of fresh) this.known.add(m.mark.id);
    const again = unseen.some((m) => m.message.urgent) && nowMs - this.lastMs >= AGAIN_MS;
    if (fresh.length === 0 && !again) return false;
    this.lastMs = nowMs;
    return true;
  }
}
