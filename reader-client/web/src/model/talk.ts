// Messages with their receipts, and annotations.

import { signal } from '@preact/signals';
import type { Annotation } from '../wire/generated/remora/v1/case_pb.js';
import { ReceiptKind } from '../wire/generated/remora/v1/message_pb.js';
import type { Message, MessageReceipt } from '../wire/generated/remora/v1/message_pb.js';
import { idFrom } from '../wire/record_id.js';
import type { Id } from '../wire/record_id.js';
import { better, byOrder } from './stamp.js';
import type { Mark } from './stamp.js';

export interface ReceiptView {
  mark: Mark;
  kind: ReceiptKind;
  recipient: string;
}

export interface MessageView {
  mark: Mark;
  message: Message;
  receipts: ReceiptView[];
}

export class TalkBook {
  readonly version = signal(0);
  private readonly messages = new Map<Id, MessageView>();
  // Receipts may come before their message on a thin link.
  private readonly receipts = new Map<Id, Map<string, ReceiptView>>();

  clear(): void {
    this.messages.clear();
    this.receipts.clear();
    this.version.value++;
  }

  addMessage(mark: Mark, message: Message): void {
    if (!better(mark, this.messages.get(mark.id)?.mark)) return;
    this.messages.set(mark.id, { mark, message, receipts: this.receiptsOf(mark.id) });
    this.version.value++;
  }

  addReceipt(mark: Mark, receipt: MessageReceipt): void {
    const id = idFrom(receipt.message);
    if (!id) return;
    const all = this.receipts.get(id) ?? new Map<string, ReceiptView>();
    this.receipts.set(id, all);
    // The first one of a kind and a person counts.
    const key = `${receipt.kind}/${receipt.recipient}`;
    const known = all.get(key);
    if (known && known.mark.id !== mark.id) return;
    if (!better(mark, known?.mark)) return;
    all.set(key, { mark, kind: receipt.kind, recipient: receipt.recipient });
    const view = this.messages.get(id);
    // A view is never changed in place: a screen compares them.
    if (view) this.messages.set(id, { ...view, receipts: this.receiptsOf(id) });
    this.version.value++;
  }

  remove(id: Id): void {
    if (this.messages.delete(id)) this.version.value++;
  }

  get(id: Id): MessageView | undefined {
    return this.messages.get(id);
  }

  list(): MessageView[] {
    return [...this.messages.values()].sort((a, b) => byOrder(a.mark, b.mark));
  }

  hasReceipt(id: Id, kind: ReceiptKind, recipient: string): boolean {
    return this.receipts.get(id)?.has(`${kind}/${recipient}`) ?? false;
  }

  private receiptsOf(id: Id): ReceiptView[] {
    return [...(this.receipts.get(id)?.values() ?? [])].sort((a, b) => byOrder(a.mark, b.mark));
  }
}

export const readBy = (m: MessageView): ReceiptView[] =>
  m.receipts.filter((r) => r.kind === ReceiptKind.READ);
export const deliveredTo = (m: MessageView): ReceiptView[] =>
  m.receipts.filter((r) => r.kind === ReceiptKind.DELIVERED);

export interface AnnotationView {
  mark: Mark;
  annotation: Annotation;
}

export class AnnotationBook {
  readonly version = signal(0);
  private readonly all = new Map<Id, AnnotationView>();

  clear(): void {
    this.all.clear();
    this.version.value++;
  }

  add(mark: Mark, annotation: Annotation): void {
    if (!better(mark, this.all.get(mark.id)?.mark)) return;
    this.all.set(mark.id, { mark, annotation });
    this.version.value++;
  }

  remove(id: Id): void {
    if (this.all.delete(id)) this.version.value++;
  }

  // The newest first.
  list(): AnnotationView[] {
    return [...this.all.values()].sort((a, b) => -byOrder(a.mark, b.mark));
  }

  about(id: Id): AnnotationView[] {
    return this.list().filter((v) => idOfAbout(v) === id);
  }

  onTrace(traceId: string): AnnotationView[] {
    return this.list().filter((v) => v.annotation.traceId === traceId && v.annotation.hasPlace);
  }
}

const idOfAbout = (v: AnnotationView): Id | undefined => idFrom(v.annotation.about);
