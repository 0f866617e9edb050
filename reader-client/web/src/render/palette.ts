// Colours of what is drawn on canvases: the tokens of app/styles/tokens.css. Read from the page, so
// that there is one list and a theme changes both.

export interface Palette {
  background: string;
  panel: string;
  text: string;
  muted: string;
  grid: string;
  trace: string;
  baseline: string;
  high: string;
  medium: string;
  low: string;
}

let cached: Palette | undefined;

export function palette(): Palette {
  if (cached) return cached;
  const style = getComputedStyle(document.documentElement);
  const token = (name: string) => style.getPropertyValue(`--${name}`).trim();
  cached = {
    background: token('background'), panel: token('panel'), text: token('text'),
    muted: token('muted'), grid: token('grid'), trace: token('trace'), baseline: token('baseline'),
    high: token('high'), medium: token('medium'), low: token('low'),
  };
  return cached;
}

export const FONT = "12px 'Inter Variable', system-ui, sans-serif";
export const SMALL_FONT = "11px 'Inter Variable', system-ui, sans-serif";
