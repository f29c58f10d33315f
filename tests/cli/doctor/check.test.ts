import { readFileSync } from 'node:fs';
import t from 'tap';
import {
  diagnosisLines,
  examine,
  ok,
  overall,
  warning,
  wrong,
  type Check,
} from '../../../src/cli/doctor/check.js';
import { CLIENT_CHECKS } from '../../../src/cli/doctor/client-checks.js';
import { SERVER_CHECKS } from '../../../src/cli/doctor/server-checks.js';

const CHECKS: readonly Check<number>[] = [
  { name: 'small', run: (n) => (n < 5 ? [ok(`${n}`)] : [warning(`${n} is much`, 'take less')]) },
  { name: 'whole', run: (n) => (Number.isInteger(n) ? [] : [wrong('a part', 'round it')]) },
];

await t.test('findings get their place and check, and the worst decides', async (t) => {
  const good = examine('here', CHECKS, 1);
  t.strictSame(good, [{ where: 'here', check: 'small', status: 'ok', what: '1', fix: null }]);
  t.equal(overall(good), 'ok');
  t.equal(overall(examine('here', CHECKS, 7)), 'warning');
  const bad = examine('red', CHECKS, 7.5);
  t.equal(overall(bad), 'wrong');
  t.strictSame(diagnosisLines([...good, ...bad]), [
    'ok       here  small: 1',
    'warning  red   small: 7.5 is much; fix: take less',
    'wrong    red   whole: a part; fix: round it',
    '1 ok, 1 warning, 1 wrong',
  ]);
});

await t.test('docs/doctor.md has every check, in order, and no other', async (t) => {
  const text = readFileSync(new URL('../../../../docs/doctor.md', import.meta.url), 'utf8');
  const rows = text.split('\n').filter((line) => line.startsWith('| `'));
  const named = rows.flatMap((line) => {
    const cell = line.split('|')[1] ?? '';
    return /^[ a-z`,-]+$/.test(cell) ? (cell.match(/[a-z-]{3,}/g) ?? []) : [];
  });
  const names = [...CLIENT_CHECKS, ...SERVER_CHECKS].map(({ name }) => name);
  t.strictSame(named, names);
});
