// What the compiler does not check: layers, file sizes, and what the pages' policy forbids.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export const LAYERS = ['base', 'wire', 'room', 'model', 'render', 'views', 'app'];
const SOURCE_LINES = 450;
const src = join(dirname(dirname(fileURLToPath(import.meta.url))), 'src');

// Only these may read a clock or draw at random: everything else is handed them.
const CLOCK_FILES = ['base/clock.ts', 'base/bytes.ts', 'app/start.tsx'];
const FORBIDDEN = [
  [/\bDate\.now\(|\bperformance\.now\(|\bMath\.random\b/, 'reads a clock or draws at random; take a Clock', CLOCK_FILES],
  [/innerHTML|dangerouslySetInnerHTML|\beval\(|new Function\(/, 'runs or writes markup from text', []],
  [/\bstyle="/, 'has a style attribute, which the policy forbids', []],
  [/console\.(log|debug)/, 'writes to the console', []],
];

export function findings(read = (file) => readFileSync(file, 'utf8'), files = sources(src)) {
  const found = [];
  for (const file of files) {
    const path = relative(src, file).split(sep).join('/');
    const layer = path.split('/')[0];
    const text = read(file);
    const lines = text.split('\n').length - 1;
    if (lines > SOURCE_LINES) found.push(`${path}: ${lines} lines, over ${SOURCE_LINES}`);
    if (!LAYERS.includes(layer)) found.push(`${path}: in no layer`);
    for (const [, target] of text.matchAll(/from '(\.[^']+)'|import\('(\.[^']+)'\)/g)) {
      if (!target) continue;
      const other = relative(src, resolve(dirname(file), target)).split(sep)[0];
      if (LAYERS.indexOf(other) > LAYERS.indexOf(layer)) found.push(`${path}: ${layer} must not import ${other} (${target})`);
    }
    if (path.includes('.test.')) continue;
    for (const [pattern, words, allowed] of FORBIDDEN) {
      if (pattern.test(text) && !allowed.includes(path)) found.push(`${path}: ${words}`);
    }
  }
  return found;
}

function sources(folder) {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (name === 'generated') return [];
    if (statSync(path).isDirectory()) return sources(path);
    return /\.tsx?$/.test(name) ? [path] : [];
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const found = findings();
  for (const line of found) console.error(line);
  process.exit(found.length === 0 ? 0 : 1);
}
