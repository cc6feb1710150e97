// Compresses the files that browsers load once, at the highest quality, so that the server never does it again.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';

const dir = process.argv[2];
for (const file of readdirSync(dir, { recursive: true })) {
  if (!/\.(js|css|wasm|svg)$/.test(file)) continue;
  const path = join(dir, file);
  const raw = readFileSync(path);
  const small = brotliCompressSync(raw, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: raw.length } });
  writeFileSync(`${path}.br`, small);
  console.log(`${file}: ${raw.length} bytes, ${small.length} brotli`);
}
