// Single keys. A letter typed into a field, or with a modifier, is never taken for one.

const FIELDS = 'input, textarea, select, [contenteditable]';

export type KeyMap = Record<string, () => void>;

export class Keys {
  enabled = localStorage.getItem('remora-single-keys') !== 'off';

  constructor(private readonly map: () => KeyMap) {
    document.addEventListener('keydown', (event) => this.press(event));
  }

  setEnabled(on: boolean): void {
    this.enabled = on;
    localStorage.setItem('remora-single-keys', on ? 'on' : 'off');
  }

  private press(event: KeyboardEvent): void {
    if (!this.enabled && event.key !== '?') return;
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.isComposing) return;
    const target = event.target instanceof Element ? event.target : undefined;
    if (target?.closest(FIELDS)) return;
    // Space and Enter press what has the focus.
    if (event.key === ' ' && target?.closest('button, a, summary, [tabindex]')) return;
    const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const call = this.map()[name];
    if (!call) return;
    event.preventDefault();
    call();
  }
}
