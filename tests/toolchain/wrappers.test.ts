import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { WRAPPERS } from '../../src/toolchain/wrappers.js';

await t.test('the launcher passes the same programs by', async (t) => {
  const path = fileURLToPath(new URL('../../../native/launcher-compiler.c', import.meta.url));
  const list = /kin\[\] = \{([^}]*)\}/.exec(readFileSync(path, 'utf8'))?.[1] ?? '';
  const names = [...list.matchAll(/"([^"]+)"/g)].map(([, name]) => name);
  t.strictSame(new Set(names), new Set(WRAPPERS));
});
