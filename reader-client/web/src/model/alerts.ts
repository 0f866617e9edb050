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
}

export interface AlertView {
  // Id of the record that raised it: what actions refer to.
  id: Id;
  raised: Mark;
  latest: Mark;
  alert: Alert;
  // Those that stand: undone ones are left out.
  actions: ActionView[];
}

export class AlertBook {
  readonly version = signal(0);
  private readonly alerts = new Map<Id, AlertView>();
  private readonly actions = new Map<Id, ActionView>();

  clear(): void {
    this.alerts.clear();
    this.actions.clear();
    this.version.value++;
  }

  addAlert(mark: Mark, alert: Alert): void {
    const id = idFrom(alert.raisedBy) ?? mark.id;
    const known = this.alerts.get(id);
    if (!known) {
      this.alerts.set(id, { id, raised: mark, latest: mark, alert, actions: [] });
      this.attach();
    } else {
      const raised = mark.id === id && better(mark, known.raised) ? mark : known.raised;
      const newer = mark.id === known.latest.id
        ? better(mark, known.latest) : byOrder(mark, known.latest) > 0;
      // Views are never changed in place: a screen compares them.
      this.alerts.set(id, newer ? { ...known, raised, latest: mark, alert } : { ...known, raised });
    }
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
      b.alert.priority - a.alert.priority || -byOrder(a.raised, b.raised));
  }

  private attach(): void {
    for (const [id, alert] of this.alerts) this.alerts.set(id, { ...alert, actions: [] });
    for (const view of [...this.actions.values()].sort((a, b) => byOrder(a.mark, b.mark))) {
      const target = this.alerts.get(idFrom(view.action.alert) ?? '');
      if (!target) continue;
      if (view.action.kind !== AlertActionKind.UNDONE) {
        target.actions.push(view);
        continue;
      }
      for (let i = target.actions.length - 1; i >= 0; i--) {
        const other = target.actions[i]!.action;
        if (other.actor === view.action.actor && other.place === view.action.place) {
          target.actions.splice(i, 1);
          break;
        }
      }
    }
  }
}

export const isActive = (a: AlertView): boolean => a.alert.condition !== AlertCondition.RECOVERED;

export const actionOf = (a: AlertView, kind: AlertActionKind, place?: Place): ActionView | undefined =>
  a.actions.findLast((v) => v.action.kind === kind && (place === undefined || v.action.place === place));

export const isAcknowledged = (a: AlertView, place: Place): boolean =>
  actionOf(a, AlertActionKind.ACKNOWLEDGED, place) !== undefined || isDone(a);

export const isDone = (a: AlertView): boolean =>
  actionOf(a, AlertActionKind.RESOLVED) !== undefined ||
  actionOf(a, AlertActionKind.DISMISSED) !== undefined;

// Still asks for somebody at this place.
export const isCalling = (a: AlertView, place: Place): boolean =>
  !isAcknowledged(a, place) && a.alert.priority > AlertPriority.INFORMATION;
