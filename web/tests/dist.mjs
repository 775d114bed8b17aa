// Holds web/dist against its sources: the committed files are what a clean build makes, and stay small.
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';

const LIMIT = 80 * 1024;
const root = fileURLToPath(new URL('..', import.meta.url));

function files(folder) {
  return readdirSync(folder, { recursive: true })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => relative(folder, path))
    .sort();
}

const committed = join(root, 'dist');
const fresh = mkdtempSync(join(tmpdir(), 'drydock-page-'));
try {
  await build({ root, logLevel: 'error', build: { outDir: fresh, emptyOutDir: true } });
  const [have, want] = [files(committed), files(fresh)];
  const wrong = [...new Set([...have, ...want])].filter(
    (name) => !have.includes(name) || !want.includes(name) || !readFileSync(join(committed, name)).equals(readFileSync(join(fresh, name))),
  );
  if (wrong.length > 0) throw new Error(`web/dist is not what its sources make (${wrong.join(', ')}): run npm run build in web/ and commit dist`);
  const size = have.reduce((sum, name) => sum + gzipSync(readFileSync(join(committed, name)), { level: 9 }).length, 0);
  if (size > LIMIT) throw new Error(`web/dist is ${size} bytes gzipped, more than ${LIMIT}`);
  console.log(`web/dist is up to date: ${have.length} files, ${(size / 1024).toFixed(1)} KiB gzipped`);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(fresh, { recursive: true, force: true });
}
