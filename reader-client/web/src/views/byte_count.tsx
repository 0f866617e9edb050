// How much of a field's length is used. The contract counts bytes of UTF-8; nothing is cut off, what
// is too long cannot be sent.

import { utf8Length } from '../base/bytes.js';
import { cls } from './parts.js';

export const fits = (text: string, limit: number): boolean => utf8Length(text.trim()) <= limit;

export function ByteCount({ text, limit }: { text: string; limit: number }) {
  const used = utf8Length(text.trim());
  const over = used - limit;
  return (
    <span class={cls('byte-count', 'number', over > 0 && 'too-long')} role={over > 0 ? 'alert' : undefined}>
      {used} / {limit} bytes{over > 0 && `: ${over} too many`}
    </span>
  );
}
