import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { faultsPage } from './faults-page.js';

await t.test('docs/faults.md says what the table says', async (t) => {
  const path = fileURLToPath(new URL('../../../docs/faults.md', import.meta.url));
  t.equal(readFileSync(path, 'utf8'), faultsPage(), 'node scripts/write-faults.mjs writes it anew');
});
