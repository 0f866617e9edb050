import { create } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import {
  AlertActionKind, AlertActionSchema, AlertCondition, AlertPriority, AlertSchema, Place,
} from '../wire/generated/remora/v1/alert_pb.js';
import { toReference } from '../wire/record_id.js';
import type { Id } from '../wire/record_id.js';
import { AlertBook, firstToTell, isAcknowledged, isCalling, isDone, keepOrder } from './alerts.js';
import type { AlertView } from './alerts.js';
import type { Mark } from './stamp.js';

const AGENT = 'a1'.repeat(16);
const READER = 'b2'.repeat(16);
const { MEDIUM, HIGH, LOW, INFORMATION } = AlertPriority;
const { RAISED, UPDATED, RECOVERED } = AlertCondition;
const { ACKNOWLEDGED, COMMUNICATED, RESOLVED, DISMISSED, SEEN, UNDONE } = AlertActionKind;

// A book with one alert, whose records are numbered in the order in which they are written.
class Scene {
  readonly book = new AlertBook();
  seq = 0;
  alertSeq = 0;
  actionSeq = 0;
  first: Id | undefined;

  alert(condition: AlertCondition, priority: AlertPriority, episode = 0, mark: Partial<Mark> = {}): Id {
    this.seq++;
    const id = `${AGENT}/0/${++this.alertSeq}`;
    this.book.addAlert(this.mark(id, mark), create(AlertSchema, {
      condition, priority, episode, raisedBy: this.first ? toReference(this.first) : undefined }));
    this.first ??= id;
    return id;
  }

  act(kind: AlertActionKind, more: MessageInitShape<typeof AlertActionSchema> & { mark?: Partial<Mark> } = {}): Id {
    this.seq++;
    const { mark, ...rest } = more;
    const id = `${READER}/0/${++this.actionSeq}`;
    this.book.addAction(this.mark(id, mark ?? {}), create(AlertActionSchema, {
      alert: toReference(this.first!), kind, place: Place.READER, actor: 'Maya', ...rest }));
    return id;
  }

  view(): AlertView {
    return this.book.list()[0]!;
  }

  acknowledged(): boolean {
    return isAcknowledged(this.view(), Place.READER);
  }

  private mark(id: Id, more: Partial<Mark>): Mark {
    return { id, seq: BigInt(this.seq), atMs: this.seq * 1000, unrecorded: false, pending: false, ...more };
  }
}

describe('An alert calls', () => {
  it('AgainWhenItsPriorityGoesBeyondWhatItWas', () => {
    const s = new Scene();
    s.alert(RAISED, MEDIUM);
    s.act(ACKNOWLEDGED);
    expect(s.acknowledged()).toBe(true);
    s.alert(UPDATED, MEDIUM);
    expect(s.acknowledged()).toBe(true);
    s.alert(UPDATED, HIGH);
    expect(s.acknowledged()).toBe(false);
    expect(isCalling(s.view(), Place.READER)).toBe(true);
    expect(s.view().called.atMs).toBe(4000);
    expect(s.view().actions.map((a) => a.holds)).toEqual([false]);
  });

  it('AgainWhenItComesBackThoughNotWhenItRecovers', () => {
    const s = new Scene();
    s.alert(RAISED, HIGH);
    s.act(ACKNOWLEDGED);
    s.alert(RECOVERED, HIGH);
    expect(s.acknowledged()).toBe(true);
    s.alert(UPDATED, HIGH, 1);
    expect(s.acknowledged()).toBe(false);
    expect(s.view().called.atMs).toBe(4000);
  });

  it('NotWhenItWorsensLessThanItHadBeenInTheSameEpisode', () => {
    const s = new Scene();
    s.alert(RAISED, HIGH);
    s.alert(UPDATED, LOW);
    s.act(ACKNOWLEDGED);
    s.alert(UPDATED, MEDIUM);
    expect(s.acknowledged()).toBe(true);
    expect(s.view().called.atMs).toBe(1000);
  });

  it('AtALowerPriorityOfALaterEpisode', () => {
    const s = new Scene();
    s.alert(RAISED, HIGH);
    s.act(ACKNOWLEDGED);
    s.alert(UPDATED, LOW, 1);
    expect(s.acknowledged()).toBe(false);
  });

  it('NeverByWhatRecoveredWhosePriorityDoesNotCount', () => {
    const s = new Scene();
    s.alert(RAISED, LOW);
    s.alert(RECOVERED, HIGH);
    s.act(ACKNOWLEDGED);
    expect(s.acknowledged()).toBe(true);
    s.alert(UPDATED, MEDIUM);
    expect(s.acknowledged()).toBe(false);
  });

  it('NotForInformationAlone', () => {
    const s = new Scene();
    s.alert(RAISED, INFORMATION);
    expect(isCalling(s.view(), Place.READER)).toBe(false);
  });

  it('TheSameWhateverTheOrderInWhichItsRecordsCome', () => {
    const s = new Scene();
    s.first = `${AGENT}/0/1`;
    s.alert(UPDATED, HIGH, 0, { id: `${AGENT}/0/2`, seq: 5n, atMs: 5000 });
    s.act(ACKNOWLEDGED, { mark: { seq: 3n } });
    s.alert(RAISED, MEDIUM, 0, { id: `${AGENT}/0/1`, seq: 1n, atMs: 1000 });
    expect(s.acknowledged()).toBe(false);
    expect(s.view().called.id).toBe(`${AGENT}/0/2`);
    expect(s.view().alert.priority).toBe(HIGH);
  });
});

describe('An action', () => {
  it('DoesNotHoldForACallThatItsActorHadNotSeen', () => {
    const s = new Scene();
    const first = s.alert(RAISED, MEDIUM);
    const worse = s.alert(UPDATED, HIGH);
    s.act(ACKNOWLEDGED, { seen: toReference(first) });
    expect(s.acknowledged()).toBe(false);
    s.act(ACKNOWLEDGED, { seen: toReference(worse) });
    expect(s.acknowledged()).toBe(true);
  });

  it('HoldsByItsPlaceInTheRecordWhereWhatWasSeenIsOfAnotherOrigin', () => {
    const s = new Scene();
    s.alert(RAISED, MEDIUM);
    s.act(ACKNOWLEDGED, { seen: toReference(`${'c3'.repeat(16)}/0/9`) });
    expect(s.acknowledged()).toBe(true);
  });

  it('HoldsAtOnceWhileItIsOnItsWay', () => {
    const s = new Scene();
    const id = s.alert(RAISED, MEDIUM);
    s.act(ACKNOWLEDGED, { seen: toReference(id), mark: { seq: 0n, pending: true } });
    expect(s.acknowledged()).toBe(true);
    s.alert(UPDATED, HIGH);
    expect(s.acknowledged()).toBe(false);
  });

  it('BeyondAcknowledgementAcknowledgesTooAndSeenDoesNot', () => {
    for (const kind of [COMMUNICATED, AlertActionKind.READ_BACK, AlertActionKind.ACTED]) {
      const s = new Scene();
      s.alert(RAISED, HIGH);
      s.act(SEEN);
      expect(s.acknowledged()).toBe(false);
      s.act(kind);
      expect(s.acknowledged()).toBe(true);
      expect(isAcknowledged(s.view(), Place.THEATRE)).toBe(false);
      expect(isDone(s.view())).toBe(false);
    }
  });

  it('ThatClosesClosesUntilTheNextCall', () => {
    for (const kind of [RESOLVED, DISMISSED]) {
      const s = new Scene();
      s.alert(RAISED, HIGH);
      s.act(kind);
      expect(isDone(s.view())).toBe(true);
      s.alert(UPDATED, LOW, 1);
      expect(isDone(s.view())).toBe(false);
      expect(isCalling(s.view(), Place.READER)).toBe(true);
    }
  });
});

describe('Undo', () => {
  it('TakesBackExactlyTheActionThatItNames', () => {
    const s = new Scene();
    s.alert(RAISED, HIGH);
    const acknowledged = s.act(ACKNOWLEDGED);
    s.act(COMMUNICATED);
    s.act(UNDONE, { undone: toReference(acknowledged) });
    expect(s.view().actions.map((a) => a.action.kind)).toEqual([COMMUNICATED]);
  });

  it('TakesBackNothingOfSomebodyElse', () => {
    const s = new Scene();
    s.alert(RAISED, HIGH);
    const acknowledged = s.act(ACKNOWLEDGED, { actor: 'Tom' });
    s.act(UNDONE, { undone: toReference(acknowledged) });
    s.act(UNDONE);
    expect(s.acknowledged()).toBe(true);
  });

  it('WithoutANameTakesBackTheActorsLastAction', () => {
    const s = new Scene();
    s.alert(RAISED, HIGH);
    s.act(ACKNOWLEDGED);
    s.act(COMMUNICATED, { place: Place.THEATRE });
    s.act(UNDONE);
    expect(s.view().actions.map((a) => a.action.kind)).toEqual([ACKNOWLEDGED]);
  });
});

describe('What the team is to hear next', () => {
  // Three alerts of one book: a train that has ended, and two responses that are down.
  function scene() {
    const s = new Scene();
    const raise = (priority: AlertPriority): Id => {
      s.first = undefined;
      return s.alert(RAISED, priority);
    };
    const train = raise(MEDIUM);
    s.alert(RECOVERED, INFORMATION);
    const [left, right] = [raise(HIGH), raise(HIGH)];
    const act = (id: Id, kind: AlertActionKind): void => {
      s.first = id;
      s.act(kind);
    };
    return { train, left, right, act, next: () => firstToTell(s.book.list())?.id };
  }

  it('IsTheMostUrgentThatIsThereAndNotOneThatHasEnded', () => {
    const { right, next } = scene();
    expect(next()).toBe(right);
  });
  it('IsAmongEqualOnesTheOneAcknowledgedLast', () => {
    const { left, act, next } = scene();
    act(left, ACKNOWLEDGED);
    expect(next()).toBe(left);
  });
  it('GoesOnWithWhatWasNotTold', () => {
    const { left, right, act, next } = scene();
    act(left, ACKNOWLEDGED);
    act(left, COMMUNICATED);
    expect(next()).toBe(right);
    act(right, COMMUNICATED);
    expect(next()).toBeUndefined();
  });
});

describe('The order of a list', () => {
  it('IsAsWantedUnlessSomebodyPointsAtIt', () => {
    expect(keepOrder(['a', 'b', 'c'], ['c', 'a', 'b'], false)).toEqual(['c', 'a', 'b']);
    expect(keepOrder(['a', 'b', 'c'], ['c', 'a', 'b'], true)).toEqual(['a', 'b', 'c']);
  });
  it('TakesWhatIsNewAtItsEndAndLeavesOutWhatIsGone', () => {
    expect(keepOrder(['a', 'b'], ['n', 'b', 'm'], true)).toEqual(['b', 'n', 'm']);
  });
});
