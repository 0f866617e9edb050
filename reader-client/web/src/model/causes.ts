// What a change may come from: the newest ranking of each alert, and what people made of it. A ranking
// is never shown without its evidence, and moves no priority.

import { signal } from '@preact/signals';
import type { CausePick, CauseRanking, Differential } from '../wire/generated/remora/v1/differential_pb.js';
import { CauseGroup, CauseSupport } from '../wire/generated/remora/v1/differential_pb.js';
import { idFrom } from '../wire/record_id.js';
import type { Id } from '../wire/record_id.js';
import { better, byOrder } from './stamp.js';
import type { Mark } from './stamp.js';

export interface RankingView {
  mark: Mark;
  ranking: CauseRanking;
}

export interface PickView {
  mark: Mark;
  pick: CausePick;
}

export class CauseBook {
  readonly version = signal(0);
  private readonly rankings = new Map<Id, RankingView>();  // by alert
  private readonly picks = new Map<Id, PickView>();

  clear(): void {
    this.rankings.clear();
    this.picks.clear();
    this.version.value++;
  }

  add(mark: Mark, differential: Differential): void {
    const { what } = differential;
    if (what.case === 'ranking') {
      const alert = idFrom(what.value.alert);
      const known = alert && this.rankings.get(alert);
      if (!alert || (known && known.mark.id !== mark.id && byOrder(mark, known.mark) < 0)) return;
      this.rankings.set(alert, { mark, ranking: what.value });
    } else if (what.case === 'pick') {
      if (!better(mark, this.picks.get(mark.id)?.mark)) return;
      this.picks.set(mark.id, { mark, pick: what.value });
    }
    this.version.value++;
  }

  // A record of this page that the hub refused did not happen.
  remove(id: Id): void {
    if (this.picks.delete(id)) this.version.value++;
  }

  of(alert: Id): RankingView | undefined {
    return this.rankings.get(alert);
  }

  // The oldest first.
  picksOf(alert: Id): PickView[] {
    return [...this.picks.values()].filter((v) => idFrom(v.pick.alert) === alert).sort((a, b) => byOrder(a.mark, b.mark));
  }
}

export function supportWord(support: CauseSupport): string {
  switch (support) {
    case CauseSupport.STRONG: return 'strong support';
    case CauseSupport.SOME: return 'some support';
    default: return 'weak support';
  }
}

export function groupWord(group: CauseGroup): string {
  switch (group) {
    case CauseGroup.TECHNICAL: return 'technical';
    case CauseGroup.SYSTEMIC: return 'systemic';
    case CauseGroup.POSITION: return 'position';
    case CauseGroup.SURGICAL: return 'surgical';
    default: return '';
  }
}

// "Dr. Example: Spinal cord, surgical; Hypotension", or the person's own words.
export function pickWords(pick: CausePick, ranking: CauseRanking | undefined): string {
  const names = pick.causeKey.map((key) => ranking?.causes.find((c) => c.key === key)?.name ?? key);
  return `${pick.actor}: ${[...names, ...(pick.words ? [pick.words] : [])].join('; ')}`;
}
