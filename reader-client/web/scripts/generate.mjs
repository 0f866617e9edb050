// Generates src/wire/generated from proto/ with protoc and the pinned protoc-gen-es. The plugin is
// started by this very Node, so that an older one on PATH does not matter.
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const web = dirname(dirname(fileURLToPath(import.meta.url)));
const proto = join(web, '../../proto');
const folder = join(proto, 'remora/v1');
const out = join(web, 'src/wire/generated');
const files = readdirSync(folder).filter((f) => f.endsWith('.proto')).sort();

const newest = Math.max(...[...files.map((f) => join(folder, f)), join(web, 'package-lock.json')]
  .map((f) => statSync(f).mtimeMs));
const oldest = Math.min(...files.map((f) => {
  try {
    return statSync(join(out, 'remora/v1', f.replace('.proto', '_pb.js'))).mtimeMs;
  } catch {
    return 0;
  }
}));
if (oldest > newest) process.exit(0);

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
const scratch = mkdtempSync(join(tmpdir(), 'remora-protoc-'));
const plugin = join(scratch, 'protoc-gen-es');
const script = join(web, 'node_modules/@bufbuild/protoc-gen-es/bin/protoc-gen-es');
writeFileSync(plugin, `#!/bin/sh\nexec '${process.execPath}' '${script}' "$@"\n`);
chmodSync(plugin, 0o755);
const run = spawnSync(
  'protoc',
  [`--proto_path=${proto}`, `--plugin=protoc-gen-es=${plugin}`, `--es_out=${out}`,
   '--es_opt=target=js+dts,import_extension=js', ...files.map((f) => `remora/v1/${f}`)],
  { stdio: 'inherit' });
rmSync(scratch, { recursive: true, force: true });
if (run.error) {
  console.error(`protoc could not be started (${run.error.message}); install protobuf-compiler`);
  process.exit(1);
}
process.exit(run.status ?? 1);
