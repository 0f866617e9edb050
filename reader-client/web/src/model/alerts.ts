// The alerts of a case and what people did about them.

import { signal } from '@preact/signals';
import type { Alert, AlertAction } from '../wire/generated/remora/v1/alert_pb.js';
import {
  AlertActionKind, AlertCondition, AlertPriority, Place,
} from '../wire/generated/remora/v1/alert_pb.js';
import { idFrom } from '../wire/record_id.js';
import type { Id } from '../wire/record_id.js';
import { better, byOrder } from './stamp.js';
import type { Mark } from './stamp.js';

export interface ActionView {
  mark: Mark;
  action: AlertAction;
  // False where the alert has called again since: what its actor saw was another state of it.
  holds: boolean;
}

export interface AlertView {
  // Id of the record that raised it: what actions refer to.
  id: Id;
  raised: Mark;
  // The record that called last (AlertActionKind of the contract says which does).
  called: Mark;
  latest: Mark;
  alert: Alert;
  // Undone ones are left out.
  actions: ActionView[];
}

// A record of an alert that went beyond all before it.
interface Call {
  mark: Mark;
  episode: number;
  priority: AlertPriority;
  met: boolean;
}

export class AlertBook {
  readonly version = signal(0);
  private readonly alerts = new Map<Id, AlertView>();
  private readonly calls = new Map<Id, Call[]>();
  private readonly actions = new Map<Id, { mark: Mark; action: AlertAction }>();

  clear(): void {
    this.alerts.clear();
    this.calls.clear();
    this.actions.clear();
    this.version.value++;
  }

  addAlert(mark: Mark, alert: Alert): void {
    const id = idFrom(alert.raisedBy) ?? mark.id;
    const known = this.alerts.get(id);
    const called = this.addCall(id, mark, alert);
    if (!known) {
      this.alerts.set(id, { id, raised: mark, called, latest: mark, alert, actions: [] });
    } else {
      const raised = mark.id === id && better(mark, known.raised) ? mark : known.raised;
      const newer = mark.id === known.latest.id
        ? better(mark, known.latest) : byOrder(mark, known.latest) > 0;
      // Views are never changed in place: a screen compares them.
      this.alerts.set(id, { ...known, raised, called, ...(newer ? { latest: mark, alert } : {}) });
    }
    this.attach();
    this.version.value++;
  }

  addAction(mark: Mark, action: AlertAction): void {
    const known = this.actions.get(mark.id);
    if (!better(mark, known?.mark)) return;
    this.actions.set(mark.id, { mark, action });
    this.attach();
    this.version.value++;
  }

  // A record of this page that the hub refused did not happen.
  remove(id: Id): void {
    if (this.actions.delete(id)) {
      this.attach();
      this.version.value++;
    }
  }

  get(id: Id): AlertView | undefined {
    return this.alerts.get(id);
  }

  // Unacknowledged by a reader first, then by priority, then the newest.
  list(): AlertView[] {
    return [...this.alerts.values()].sort((a, b) =>
      Number(isDone(a)) - Number(isDone(b)) ||
      Number(isAcknowledged(a, Place.READER)) - Number(isAcknowledged(b, Place.READER)) ||
      b.alert.priority - a.alert.priority || -byOrder(a.called, b.called));
  }

  // Only calls are kept: what went beyond nothing when it came never will.
  private addCall(id: Id, mark: Mark, alert: Alert): Mark {
    const met = alert.condition !== AlertCondition.RECOVERED;
    const priority = met ? alert.priority : AlertPriority.UNSPECIFIED;
    const known = this.calls.get(id) ?? [];
    const same = known.find((c) => c.mark.id === mark.id);
    const all = same && !better(mark, same.mark) ? known
      : [...known.filter((c) => c !== same), { mark, episode: alert.episode, priority, met }];
    const kept: Call[] = [];
    for (const call of all.sort((a, b) => byOrder(a.mark, b.mark))) {
      const last = kept[kept.length - 1];
      if (!last || (call.met && isBeyond(call, last))) kept.push(call);
    }
    this.calls.set(id, kept);
    return kept[kept.length - 1]!.mark;
  }

  private attach(): void {
    for (const [id, alert] of this.alerts) this.alerts.set(id, { ...alert, actions: [] });
    for (const { mark, action } of [...this.actions.values()].sort((a, b) => byOrder(a.mark, b.mark))) {
      const target = this.alerts.get(idFrom(action.alert) ?? '');
      if (!target) continue;
      if (action.kind === AlertActionKind.UNDONE) takeBack(target.actions, action);
      else target.actions.push({ mark, action, holds: holdsFor(target.called, mark, action) });
    }
  }
}

const isBeyond = (a: Call, b: Call): boolean =>
  a.episode !== b.episode ? a.episode > b.episode : a.priority > b.priority;

function takeBack(actions: ActionView[], undo: AlertAction): void {
  const named = idFrom(undo.undone);
  const at = actions.findLastIndex((v) =>
    v.action.actor === undo.actor && (named === undefined || v.mark.id === named));
  if (at >= 0) actions.splice(at, 1);
}

// Behind the call in the record, and by somebody who had the call before them.
function holdsFor(call: Mark, mark: Mark, action: AlertAction): boolean {
  // What is not on record yet comes behind all that is.
  if (mark.seq !== 0n && (call.seq === 0n || mark.seq < call.seq)) return false;
  const seen = idFrom(action.seen)?.split('/');
  const [origin, lane, originSeq] = call.id.split('/');
  return !seen || seen[0] !== origin || seen[1] !== lane || BigInt(seen[2]!) >= BigInt(originSeq!);
}

export const isActive = (a: AlertView): boolean => a.alert.condition !== AlertCondition.RECOVERED;

// The last one that holds.
export const actionOf = (a: AlertView, kind: AlertActionKind, place?: Place): ActionView | undefined =>
  a.actions.findLast((v) => v.holds && v.action.kind === kind && (place === undefined || v.action.place === place));

// What acknowledges at this place: an acknowledgement, and everything beyond it up to its closing.
export const acknowledgementOf = (a: AlertView, place: Place): ActionView | undefined =>
  a.actions.find((v) => v.holds && v.action.place === place &&
    v.action.kind >= AlertActionKind.ACKNOWLEDGED && v.action.kind <= AlertActionKind.DISMISSED);

export const isAcknowledged = (a: AlertView, place: Place): boolean =>
  acknowledgementOf(a, place) !== undefined || isDone(a);

export const isDone = (a: AlertView): boolean =>
  actionOf(a, AlertActionKind.RESOLVED) !== undefined ||
  actionOf(a, AlertActionKind.DISMISSED) !== undefined;

// Still asks for somebody at this place.
export const isCalling = (a: AlertView, place: Place): boolean =>
  !isAcknowledged(a, place) && a.alert.priority > AlertPriority.INFORMATION;

// What the team is to hear next: of the conditions that are there and that it has not been told of,
// the most urgent, of equal ones the one acknowledged last, else the newest.
export function firstToTell(all: readonly AlertView[]): AlertView | undefined {
  const untold = all.filter((a) => isActive(a) && !isDone(a) && !actionOf(a, AlertActionKind.COMMUNICATED));
  const acknowledged = (a: AlertView): Mark | undefined => acknowledgementOf(a, Place.READER)?.mark;
  return untold.sort((a, b) => {
    const [mine, other] = [acknowledged(a), acknowledged(b)];
    return b.alert.priority - a.alert.priority ||
      Number(other !== undefined) - Number(mine !== undefined) ||
      (mine && other ? byOrder(other, mine) : byOrder(b.called, a.called));
  })[0];
}

// Nothing changes its place while somebody points at it: what is new waits at the end.
export function keepOrder(shown: readonly Id[], wanted: readonly Id[], pointedAt: boolean): readonly Id[] {
  if (!pointedAt) return wanted;
  const kept = shown.filter((id) => wanted.includes(id));
  return [...kept, ...wanted.filter((id) => !kept.includes(id))];
}
