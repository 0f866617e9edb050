// The directory: which cases there are, always followed.

import { signal } from '@preact/signals';
import { toHex } from '../base/bytes.js';
import type { CaseSummary } from '../wire/generated/remora/v1/directory_pb.js';
import { Delivery } from '../wire/generated/remora/v1/room_pb.js';
import type { Down } from '../wire/generated/remora/v1/room_pb.js';
import type { Session, SessionListener } from '../wire/session.js';
import { newFollowId } from './case_room.js';

export class Directory implements SessionListener {
  // By case id in hex, in the order in which they came: a tile keeps its slot.
  readonly cases = signal<ReadonlyMap<string, CaseSummary>>(new Map());
  // False until the whole list came once.
  readonly known = signal(false);
  // The list that comes now: which cases it has named so far, while it says that more comes.
  private listing: Set<string> | undefined;
  private readonly followId = newFollowId();

  constructor(private readonly session: Session) {
    session.listen(this);
  }

  onWelcome(): void {
    this.listing = undefined;
    this.session.send({
      control: {
        case: 'follow',
        value: {
          followId: this.followId,
          target: { case: 'directory', value: true },
          delivery: Delivery.LIVE,
        },
      },
    });
  }

  onDown(down: Down): void {
    if (down.control.case !== 'directory') return;
    const update = down.control.value;
    if (update.followId !== this.followId) return;
    const next = new Map(this.cases.value);
    if (update.complete) this.listing = new Set();
    for (const summary of update.cases) {
      const id = toHex(summary.caseId);
      this.listing?.add(id);
      next.set(id, summary);
    }
    // Only the end of a list says which cases are gone: none disappears for a moment in between.
    if (this.listing && !update.more) {
      for (const id of next.keys()) if (!this.listing.has(id)) next.delete(id);
      this.listing = undefined;
      this.known.value = true;
    }
    this.cases.value = next;
  }
}
