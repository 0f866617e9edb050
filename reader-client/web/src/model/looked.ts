// How long each of several things has stood before somebody's eyes without a break.

export class Looked {
  private since = new Map<string, number>();

  // Called again and again with what can be seen now.
  update(seen: Iterable<string>, nowMs: number): void {
    const next = new Map<string, number>();
    for (const id of seen) next.set(id, this.since.get(id) ?? nowMs);
    this.since = next;
  }

  forMs(id: string, nowMs: number): number {
    return nowMs - (this.since.get(id) ?? nowMs);
  }
}

// From top to bottom, in pixels of the window.
export interface Extent {
  top: number;
  bottom: number;
}

// Wholly within the area; what is taller than it must fill it and show its end.
export function isInside(thing: Extent, area: Extent): boolean {
  if (area.bottom - area.top < 1 || thing.bottom > area.bottom + 1) return false;
  return thing.top >= area.top - 1 || thing.bottom - thing.top > area.bottom - area.top;
}
