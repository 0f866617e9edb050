// What was told or measured beside traces: of each thing the newest, and what happened, in the order of time.
// A snapshot holds none of it: what is known stays over a snapshot of the same epoch, and what was told before the
// page came is fetched (told_fetch.ts).

import { signal } from '@preact/signals';
import type { Record as CaseRecord } from '../wire/generated/remora/v1/record_pb.js';
import type { Id } from '../wire/record_id.js';
import { better, byOrder } from './stamp.js';
import type { Mark } from './stamp.js';
import { said, TOLD_KINDS, toldOf } from './told_words.js';
import type { News, Told, ToldKind } from './told_words.js';

// An operation of a day with a busy pump; the oldest go.
export const KEPT_EVENTS = 500;
// Of a kind: more things than a case has limbs, screws, channels; electrodes and sites are more.
export const KEPT_OF_KIND = 64;
export const KEPT_ELECTRODES = 512;
// A moment that is later than its record by more than clocks differ is none.
const CLOCK_SLACK_MS = 5_000;
const LONGEST_LINE = 240;

export interface ToldView {
  mark: Mark;
  kind: ToldKind;
  text: string;
  // When it was, in the hub's time.
  atMs: number;
  kohm?: number;
}

export interface ToldEvent extends ToldView {
  id: Id;
}

interface Standing {
  state: string;
  value: number | undefined;
}

type OfKind<T> = Map<ToldKind, Map<string, T>>;

// A book as it stood.
export interface ToldState {
  readonly newest: OfKind<ToldView>;
  readonly happened: Map<Id, ToldEvent>;
  readonly standing: OfKind<Standing>;
}

// What becomes of what was told before: nothing is asked for, since all or enough of it is here or nobody looks;
// it is on its way; it did not come and is asked for again; the hub refused it.
export type Looking = 'no' | 'now' | 'later' | 'refused';

export class ToldBook {
  readonly version = signal(0);
  // Changes with what happened alone: EEG is told twice a second.
  readonly eventsVersion = signal(0);
  // From when on it is known, in the hub's time: what was told before is on record, and not here. 0: from the
  // case's beginning on, or not known.
  sinceMs = 0;
  looking: Looking = 'no';
  // Of each lane, the place from which on everything is known.
  private knownFrom: ReadonlyMap<number, bigint> = new Map();
  private epoch = 0;
  private newest: OfKind<ToldView> = new Map();
  private happened = new Map<Id, ToldEvent>();
  // How each thing stood at its last event.
  private standing: OfKind<Standing> = new Map();

  // With each snapshot, made at `atMs`. Numbers of two epochs do not compare.
  restart(epoch: number, atMs: number): void {
    if (epoch !== 0 && epoch === this.epoch) return;
    this.epoch = epoch;
    this.sinceMs = atMs;
    this.looking = 'no';
    this.knownFrom = new Map();
    this.restore(undefined);
  }

  state(): ToldState {
    return { newest: copy(this.newest), happened: new Map(this.happened), standing: copy(this.standing) };
  }

  // As it stood then; undefined: empty. What came since is told again.
  restore(then: ToldState | undefined): void {
    this.newest = copy(then?.newest ?? new Map());
    this.happened = new Map(then?.happened);
    this.standing = copy(then?.standing ?? new Map());
    this.version.value++;
    this.eventsVersion.value++;
  }

  know(sinceMs: number, from: ReadonlyMap<number, bigint>, looking: Looking): void {
    this.sinceMs = sinceMs;
    this.knownFrom = from;
    this.looking = looking;
    this.version.value++;
  }

  // It lies before something that is not known: what came after it may be on record.
  mayBeReplaced({ mark }: ToldView): boolean {
    const from = this.knownFrom.get(laneOf(mark.id));
    return from !== undefined && mark.seq !== 0n && mark.seq < from;
  }

  // `hubMs`: a time of the record's origin in the hub's time, where it is known.
  add(mark: Mark, body: CaseRecord['body'], hubMs: (monotonicNs: bigint) => number | undefined): void {
    const all = toldOf(body);
    if (all.length === 0) return;
    all.forEach((told, i) => this.addOne(mark, told, i, hubMs(told.atNs)));
    this.version.value++;
  }

  private addOne(mark: Mark, told: Told, index: number, at: number | undefined): void {
    const atMs = at !== undefined && at > 0 && at <= mark.atMs + CLOCK_SLACK_MS ? at : mark.atMs;
    const view: ToldView = { mark, kind: told.kind, text: said(told.text, LONGEST_LINE), atMs, kohm: told.kohm };
    const id = told.event === undefined ? `${mark.id}/${index}` : `${mark.id.slice(0, mark.id.indexOf('/'))}/${told.event}`;
    const known = this.ofKind(this.newest, told.kind).get(told.key);
    const isNewest = !known || (known.mark.id !== mark.id && byOrder(mark, known.mark) > 0);
    if (isNewest || (known.mark.id === mark.id && better(mark, known.mark))) this.keep(told, view);
    const event = this.happened.get(id);
    if (event) {
      if (event.mark.id === mark.id ? better(mark, event.mark) : byOrder(mark, event.mark) > 0) this.happen({ ...view, id });
    } else if (told.news.by === 'each' || (isNewest && this.isNews(told))) {
      this.happen({ ...view, id });
    }
  }

  private happen(event: ToldEvent): void {
    this.happened.set(event.id, event);
    if (this.happened.size > KEPT_EVENTS) this.happened.delete(this.happened.keys().next().value!);
    this.eventsVersion.value++;
  }

  // The newest of each, the kinds in their order; within one as they came first.
  list(kind: ToldKind): ToldView[] {
    return [...(this.newest.get(kind)?.values() ?? [])];
  }

  kinds(): ToldKind[] {
    return TOLD_KINDS.filter((kind) => this.newest.has(kind));
  }

  // The oldest first.
  events(): ToldEvent[] {
    return [...this.happened.values()].sort((a, b) => a.atMs - b.atMs);
  }

  private keep(told: Told, view: ToldView): void {
    const things = this.ofKind(this.newest, told.kind);
    things.set(told.key, view);
    const most = told.kind === 'impedance' || told.kind === 'map' ? KEPT_ELECTRODES : KEPT_OF_KIND;
    if (things.size <= most) return;
    const oldest = [...things].reduce((a, b) => (b[1].atMs < a[1].atMs ? b : a))[0];
    things.delete(oldest === told.key ? things.keys().next().value! : oldest);
    this.standing.get(told.kind)?.delete(oldest);
  }

  // Whether it stands otherwise than at its last event; remembers how.
  private isNews({ kind, key, news }: Told): boolean {
    const standings = this.ofKind(this.standing, kind);
    const before = standings.get(key);
    const now = next(news, before);
    if (!now) return false;
    standings.set(key, now.standing);
    if (standings.size > KEPT_OF_KIND) standings.delete(standings.keys().next().value!);
    return now.isNews;
  }

  private ofKind<T>(of: OfKind<T>, kind: ToldKind): Map<string, T> {
    const known = of.get(kind) ?? new Map<string, T>();
    of.set(kind, known);
    return known;
  }
}

const copy = <T>(of: OfKind<T>): OfKind<T> => new Map([...of].map(([kind, things]) => [kind, new Map(things)]));
const laneOf = (id: Id): number => Number(id.split('/')[1]);

function next(news: News, before: Standing | undefined): { standing: Standing; isNews: boolean } | undefined {
  if (news.by === 'state') {
    return news.state === (before?.state ?? '') ? undefined : { standing: { state: news.state, value: undefined }, isNews: true };
  }
  if (news.by !== 'step') return undefined;
  const from = before?.value;
  // The first value is what later ones are compared with.
  if (from === undefined) return { standing: { state: '', value: news.value }, isNews: false };
  return Math.abs(news.value - from) < news.step ? undefined : { standing: { state: '', value: news.value }, isNews: true };
}

// "4 electrodes, 1 open (Fz), highest 12.4 kOhm (C4')".
export function electrodeWords(all: readonly ToldView[]): string {
  const open = all.filter((e) => e.kohm === Infinity);
  const highest = all.filter((e) => Number.isFinite(e.kohm)).sort((a, b) => b.kohm! - a.kohm!)[0];
  const names = open.slice(0, 6).map((e) => e.text).join(', ') + (open.length > 6 ? ' and more' : '');
  return `${all.length} ${all.length === 1 ? 'electrode' : 'electrodes'}, ${open.length} open` +
    (open.length > 0 ? ` (${names})` : '') + (highest ? `, highest ${highest.kohm!.toFixed(1)} kOhm (${highest.text})` : '');
}
