import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
// @ts-expect-error: a plain script, also run by `npm run lint`.
import { findings } from '../../scripts/lint.mjs';

describe('layers', () => {
  it('ImportOneWay', () => expect(findings()).toEqual([]));
  it('AreCheckedAtAll', () => {
    const file = join(import.meta.dirname, '../base/made_up.ts');
    expect(findings(() => "import { Desk } from '../model/desk.js';\nDate.now();\n", [file])).toHaveLength(2);
  });
});
