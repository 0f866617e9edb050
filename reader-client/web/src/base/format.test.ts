import { describe, expect, it } from 'vitest';
import { age, microvolts, percentChange, shortAge, stopwatch } from './format.js';
import { fromHex, toHex } from './bytes.js';

describe('format', () => {
  it('SaysAnAgeWithItsUnit', () => {
    expect([age(312), age(42_400), age(125_000), age(3_840_000), age(NaN), age(-5)])
      .toEqual(['0.3 s', '42 s', '2 min 05 s', '1 h 04 min', '\u2013', '0.0 s']);
    expect([shortAge(59_999), shortAge(60_000)]).toEqual(['59 s', '1 min']);
    expect([stopwatch(42_900), stopwatch(3_727_000)]).toEqual(['00:42', '1:02:07']);
  });
  it('SignsAChangeAndNeverWritesMinusZero', () => {
    expect([percentChange(7.4), percentChange(-64.2), percentChange(-0.2)]).toEqual(['+7 %', '\u221264 %', '0 %']);
    expect([microvolts(1.234), microvolts(-12.34), microvolts(250)]).toEqual(['1.23 \u00b5V', '\u221212.3 \u00b5V', '250 \u00b5V']);
  });
  it('ReadsBackItsOwnHexAndRefusesOther', () => {
    expect(toHex(fromHex('00ff10'))).toBe('00ff10');
    expect(fromHex('0g').length + fromHex('abc').length).toBe(0);
  });
});
