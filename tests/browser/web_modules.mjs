// Modules of reader-client/web: its dependencies and the generated contract.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const webFolder = join(dirname(fileURLToPath(import.meta.url)), '../../reader-client/web');
export const webRequire = createRequire(join(webFolder, 'package.json'));
const generated = (name) =>
  import(pathToFileURL(join(webFolder, `src/wire/generated/remora/v1/${name}_pb.js`)).href);

export const protobuf = await import(
  pathToFileURL(join(webFolder, 'node_modules/@bufbuild/protobuf/dist/esm/index.js')).href);
export const pb = Object.assign({}, ...await Promise.all(
  ['alert', 'case', 'directory', 'link', 'measurement', 'message', 'plan', 'record', 'reference', 'room', 'waveform']
    .map(generated)));
