// Numbers and times as people read them. A number never stands without its unit.

const MINUS = '\u2212';

function signed(value: number, digits: number): string {
  const text = Math.abs(value).toFixed(digits);
  if (Number(text) === 0) return text;
  return (value < 0 ? MINUS : '+') + text;
}

export function plain(value: number, digits: number): string {
  return (value < 0 && Number(value.toFixed(digits)) !== 0 ? MINUS : '') +
    Math.abs(value).toFixed(digits);
}

export const ms = (value: number, digits = 1): string => `${plain(value, digits)} ms`;
export const signedMs = (value: number, digits = 1): string => `${signed(value, digits)} ms`;
export const percentChange = (value: number): string => `${signed(value, 0)} %`;

// Microvolts with the digits that make sense for their size.
export function microvolts(value: number): string {
  const size = Math.abs(value);
  return `${plain(value, size >= 100 ? 0 : size >= 10 ? 1 : 2)} \u00b5V`;
}

// An age: "0.3 s", "42 s", "2 min 05 s", "1 h 04 min". Negative ages are shown as 0.
export function age(milliseconds: number): string {
  if (!Number.isFinite(milliseconds)) return '\u2013';
  const s = Math.max(0, milliseconds) / 1000;
  if (s < 9.95) return `${s.toFixed(1)} s`;
  if (s < 60) return `${Math.floor(s)} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${two(Math.floor(s % 60))} s`;
  return `${Math.floor(s / 3600)} h ${two(Math.floor((s % 3600) / 60))} min`;
}

// An age that is known within a bound: one that is no larger than it is said to be less.
export function ageWithin(milliseconds: number, boundMs: number | undefined): string {
  if (!Number.isFinite(milliseconds)) return '\u2013';
  const bound = boundMs ?? Infinity;
  if (!Number.isFinite(bound)) return `~${age(milliseconds)}`;
  return bound >= 50 && milliseconds <= bound ? `< ${age(bound)}` : age(milliseconds);
}

export const boundWords = (boundMs: number | undefined): string =>
  boundMs === undefined || !Number.isFinite(boundMs) ? 'which is only guessed yet' : `known within \u00b1${boundMs.toFixed(1)} ms`;

// A short age for small places: "12 s", "4 min", "2 h".
export function shortAge(milliseconds: number): string {
  if (!Number.isFinite(milliseconds)) return '\u2013';
  const s = Math.max(0, milliseconds) / 1000;
  if (s < 60) return `${Math.floor(s)} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  return `${Math.floor(s / 3600)} h`;
}

// A running clock: "00:42", "1:02:07".
export function stopwatch(milliseconds: number): string {
  if (!Number.isFinite(milliseconds)) return '\u2013';
  const s = Math.floor(Math.max(0, milliseconds) / 1000);
  const h = Math.floor(s / 3600);
  const rest = `${two(Math.floor((s % 3600) / 60))}:${two(s % 60)}`;
  return h > 0 ? `${h}:${rest}` : rest;
}

// Time of day, in the place where the screen stands: "08:41" or "08:41:07".
export function timeOfDay(unixMs: number, withSeconds = false): string {
  if (!Number.isFinite(unixMs) || unixMs <= 0) return '\u2013';
  const d = new Date(unixMs);
  const text = `${two(d.getHours())}:${two(d.getMinutes())}`;
  return withSeconds ? `${text}:${two(d.getSeconds())}` : text;
}

// "2026-11-21 22:41", in the place where the screen stands.
export function dayAndTime(unixMs: number): string {
  const d = new Date(unixMs);
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${timeOfDay(unixMs)}`;
}

export const nsToMs = (ns: bigint): number => Number(ns / 1000n) / 1000;
export const msToNs = (value: number): bigint => BigInt(Math.round(value * 1000)) * 1000n;

function two(n: number): string {
  return n.toString().padStart(2, '0');
}
