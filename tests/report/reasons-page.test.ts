import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { reasonsPage } from '../../src/report/reasons-page.js';

await t.test('docs/reasons.md says what the tables say', async (t) => {
  const path = fileURLToPath(new URL('../../../docs/reasons.md', import.meta.url));
  t.equal(
    readFileSync(path, 'utf8'),
    reasonsPage(),
    'node scripts/write-reasons.mjs writes it anew',
  );
});
