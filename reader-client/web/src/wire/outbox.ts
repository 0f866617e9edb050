// Where every record that this page publishes is kept until the hub has it on record.

import type { Id } from './record_id.js';

export interface Waiting {
  id: Id;
  origin: string;
  caseId: string;
  lane: number;
  originSeq: number;
  // Which body it holds; absent in what an older page kept. 'offered': a step that is not sent by itself
  // (set_aside.ts), beside what waits.
  kind?: string;
  // Of a step of the case: no link was handed it yet. Else the hub may have it, if only in its ledger.
  unsent?: boolean;
  bytes: Uint8Array;
}

export interface OutboxStore {
  // Origins of this identity that this browser still holds unacknowledged records of.
  originsWithWaiting(identity: string): Promise<string[]>;
  knows(origin: string): Promise<boolean>;
  register(origin: string, identity: string): Promise<void>;
  waiting(origin: string): Promise<Waiting[]>;
  // Last number used, by "case/lane".
  heads(origin: string): Promise<Map<string, number>>;
  // Record and number in one transaction: durable when it resolves.
  put(entry: Waiting): Promise<void>;
  // Instead of the entry of its id.
  replace(entry: Waiting): Promise<void>;
  // The note instead of the entry of its id, and the step that it tells of, in one transaction.
  setAside(note: Waiting, offered: Waiting): Promise<void>;
  // Steps of this identity's origins that were set aside.
  offered(identity: string): Promise<Waiting[]>;
  remove(entries: Waiting[]): Promise<void>;
}

const isOffered = (e: Waiting): boolean => e.kind === 'offered';

export const headKey = (caseId: string, lane: number): string => `${caseId}/${lane}`;

// Of a message, whose most is 4 MiB: hours of what was seen may wait.
const MESSAGE_BYTES = 256 * 1024;

// The entries' records, in order, in messages that a hub takes.
export function inMessages(entries: Waiting[]): Uint8Array[][] {
  const messages: Uint8Array[][] = [];
  let bytes = Infinity;
  for (const entry of entries) {
    bytes += entry.bytes.length;
    if (bytes > MESSAGE_BYTES) {
      messages.push([]);
      bytes = entry.bytes.length;
    }
    messages.at(-1)!.push(entry.bytes);
  }
  return messages;
}

export class MemoryOutbox implements OutboxStore {
  private readonly origins = new Map<string, string>();
  private readonly entries = new Map<Id, Waiting>();
  private readonly last = new Map<string, Map<string, number>>();

  async originsWithWaiting(identity: string): Promise<string[]> {
    const found = new Set([...this.entries.values()].filter((e) => !isOffered(e)).map((e) => e.origin));
    return [...found].filter((origin) => this.origins.get(origin) === identity);
  }
  async knows(origin: string): Promise<boolean> {
    return this.origins.has(origin);
  }
  async register(origin: string, identity: string): Promise<void> {
    this.origins.set(origin, identity);
  }
  async waiting(origin: string): Promise<Waiting[]> {
    return [...this.entries.values()].filter((e) => e.origin === origin && !isOffered(e));
  }
  async heads(origin: string): Promise<Map<string, number>> {
    return new Map(this.last.get(origin));
  }
  async put(entry: Waiting): Promise<void> {
    this.entries.set(entry.id, entry);
    const heads = this.last.get(entry.origin) ?? new Map<string, number>();
    this.last.set(entry.origin, heads.set(headKey(entry.caseId, entry.lane), entry.originSeq));
  }
  async replace(entry: Waiting): Promise<void> {
    this.entries.set(entry.id, entry);
  }
  async setAside(note: Waiting, offered: Waiting): Promise<void> {
    for (const e of [note, offered]) this.entries.set(e.id, e);
  }
  async offered(identity: string): Promise<Waiting[]> {
    return [...this.entries.values()].filter((e) => isOffered(e) && this.origins.get(e.origin) === identity);
  }
  async remove(entries: Waiting[]): Promise<void> {
    for (const e of entries) this.entries.delete(e.id);
  }
}

interface OriginRow {
  origin: string;
  identity: string;
}
interface HeadRow {
  key: string;
  origin: string;
  place: string;
  last: number;
}

export class IndexedDbOutbox implements OutboxStore {
  private constructor(private readonly db: IDBDatabase) {}

  static open(factory: IDBFactory = indexedDB): Promise<IndexedDbOutbox> {
    return new Promise((resolve, reject) => {
      const request = factory.open('remora-outbox', 1);
      request.onupgradeneeded = () => {
        const db = request.result;
        db.createObjectStore('origins', { keyPath: 'origin' });
        db.createObjectStore('heads', { keyPath: 'key' }).createIndex('origin', 'origin');
        db.createObjectStore('waiting', { keyPath: 'id' }).createIndex('origin', 'origin');
      };
      request.onsuccess = () => resolve(new IndexedDbOutbox(request.result));
      request.onerror = () => reject(request.error);
      request.onblocked = () => reject(new Error('the outbox is held by an older page'));
    });
  }

  async originsWithWaiting(identity: string): Promise<string[]> {
    const entries = (await this.allOf(identity)).filter((e) => !isOffered(e));
    return [...new Set(entries.map((e) => e.origin))];
  }
  async knows(origin: string): Promise<boolean> {
    return (await this.read<OriginRow>('origins', (s) => s.getAll(origin))).length > 0;
  }
  register(origin: string, identity: string): Promise<void> {
    return this.write(['origins'], (tx) => tx.objectStore('origins').put({ origin, identity }));
  }
  async waiting(origin: string): Promise<Waiting[]> {
    return (await this.read<Waiting>('waiting', (s) => s.index('origin').getAll(origin))).filter((e) => !isOffered(e));
  }
  async offered(identity: string): Promise<Waiting[]> {
    return (await this.allOf(identity)).filter(isOffered);
  }
  async heads(origin: string): Promise<Map<string, number>> {
    const rows = await this.read<HeadRow>('heads', (s) => s.index('origin').getAll(origin));
    return new Map(rows.map((r) => [r.place, r.last]));
  }
  put(entry: Waiting): Promise<void> {
    const place = headKey(entry.caseId, entry.lane);
    return this.write(['waiting', 'heads'], (tx) => {
      tx.objectStore('waiting').put(entry);
      tx.objectStore('heads').put(
        { key: `${entry.origin}/${place}`, origin: entry.origin, place, last: entry.originSeq });
    });
  }
  remove(entries: Waiting[]): Promise<void> {
    return this.write(['waiting'], (tx) => {
      for (const e of entries) tx.objectStore('waiting').delete(e.id);
    });
  }

  replace(entry: Waiting): Promise<void> {
    return this.write(['waiting'], (tx) => tx.objectStore('waiting').put(entry));
  }
  setAside(note: Waiting, offered: Waiting): Promise<void> {
    return this.write(['waiting'], (tx) => {
      for (const e of [note, offered]) tx.objectStore('waiting').put(e);
    });
  }

  private async allOf(identity: string): Promise<Waiting[]> {
    const entries = await this.read<Waiting>('waiting', (s) => s.getAll());
    const rows = await this.read<OriginRow>('origins', (s) => s.getAll());
    const mine = new Set(rows.filter((r) => r.identity === identity).map((r) => r.origin));
    return entries.filter((e) => mine.has(e.origin));
  }

  private read<Row>(store: string, ask: (s: IDBObjectStore) => IDBRequest): Promise<Row[]> {
    return new Promise((resolve, reject) => {
      const request = ask(this.db.transaction(store, 'readonly').objectStore(store));
      request.onsuccess = () => resolve(request.result as Row[]);
      request.onerror = () => reject(request.error);
    });
  }

  private write(stores: string[], change: (tx: IDBTransaction) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const tx = this.db.transaction(stores, 'readwrite', { durability: 'strict' });
      tx.oncomplete = () => resolve();
      tx.onerror = tx.onabort = () => reject(tx.error);
      change(tx);
    });
  }
}
