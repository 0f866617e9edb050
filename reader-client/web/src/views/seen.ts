// Where things stand on the screen.

import type { Extent } from '../model/looked.js';

export function extentOf(element: Element): Extent {
  const { top, bottom } = element.getBoundingClientRect();
  return { top, bottom };
}

// What can be seen of a box in this window, below what covers its top.
export function areaOf(box: Element, covered = 0): Extent {
  const { top, bottom } = box.getBoundingClientRect();
  return { top: Math.max(0, top + covered), bottom: Math.min(window.innerHeight, bottom) };
}
