// Runs the unit tests and closes with the line that tests/run counts.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const web = dirname(dirname(fileURLToPath(import.meta.url)));
const scratch = mkdtempSync(join(tmpdir(), 'remora-web-test-'));
const file = join(scratch, 'result.json');
const run = spawnSync(process.execPath,
  [join(web, 'node_modules/vitest/vitest.mjs'), 'run', '--reporter=default', '--reporter=json',
   `--outputFile.json=${file}`, ...process.argv.slice(2)],
  { stdio: 'inherit', cwd: web });
let passed = 0;
let failed = 1;
try {
  const result = JSON.parse(readFileSync(file, 'utf8'));
  passed = result.numPassedTests;
  // A file that could not be read at all has no tests that could fail.
  failed = Math.max(result.numFailedTests, result.numFailedTestSuites > 0 ? 1 : 0);
} catch {
  // No result: it counts as a failure.
}
rmSync(scratch, { recursive: true, force: true });
console.log(`${passed} passed, ${failed} failed`);
process.exit(run.status ?? 1);
