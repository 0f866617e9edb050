// Chromium for the browser tests: pages that keep their console errors, pictures, and axe.
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { webRequire } from './web_modules.mjs';

const { chromium } = webRequire('playwright-core');
const axeSource = readFileSync(webRequire.resolve('axe-core/axe.min.js'), 'utf8');
const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync'];

export async function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS });
}

// What a page complained about. `forgive`: of an outage that the test itself makes.
export function watch(page, name, complaints) {
  page.on('console', (message) => {
    if (message.type() !== 'error') return;
    if (complaints.forgive?.test(message.text())) return;
    complaints.push(`${name}: ${message.text()}`);
  });
  page.on('pageerror', (error) => complaints.push(`${name}: ${error.message}`));
}

export function photographer(out) {
  mkdirSync(out, { recursive: true });
  return (page, name, options = {}) => page.screenshot({ path: join(out, `${name}.png`), ...options });
}

// Serious and critical findings, in words.
export async function axe(page) {
  await page.evaluate(axeSource);
  const result = await page.evaluate(() => window.axe.run(document, {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
  return result.violations
    .filter((v) => v.impact === 'serious' || v.impact === 'critical')
    .map((v) => `${v.id} (${v.impact}): ${v.nodes.slice(0, 3).map((n) => `${n.target.join(' ')} ${n.failureSummary?.split('\n').pop()?.trim()}`).join('; ')}`);
}
