/** tscc-pump's progress line, and that the build's own output is none the worse for it. */
import { writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { BuildHost } from '../fixtures/build-host.js';
import { Terminal } from '../fixtures/terminal.js';
import { without } from '../fixtures/tools.js';

const skip = without('tmux');

/** Prints many lines, and one in two halves; goes on when somebody writes to `one`, then `two`. */
const BUILD = `tscc gcc -c x.c
printf 'checking for foo... '
read go < one
echo yes
for i in $(seq 60); do echo "line $i"; done
read go < two
echo the last
`;

const PRINTED = [
  'checking for foo... yes',
  ...Array.from({ length: 60 }, (_, n) => `line ${n + 1}`),
  'the last',
];

async function withBuild(t: Test): Promise<BuildHost> {
  const host = new BuildHost(t);
  host.env['TSCC_MODE'] = 'local';
  writeFileSync(`${host.directory}/x.c`, 'int x;\n');
  writeFileSync(`${host.directory}/build`, BUILD);
  await host.shell('mkfifo one two');
  return host;
}

const LINE = /^tscc: 1 done, 0 running(?:, [0-9.]+\/s)?, 1 local$/;

await t.test('stays below what the build prints', { skip }, async (t) => {
  const host = await withBuild(t);
  const terminal = new Terminal(t, host.directory, host.env);
  terminal.type('clear; tscc-pump sh build');
  const first = await terminal.until((rows) => LINE.test(rows[23] ?? ''));
  t.strictSame(first.slice(0, 2), ['checking for foo...', '']);

  await t.test('in another size of the terminal too', async (t) => {
    terminal.resize(100, 30);
    const rows = await terminal.until((rows) => LINE.test(rows[29] ?? ''));
    t.equal(rows.filter((row) => LINE.test(row)).length, 1);
  });

  await host.shell('echo > one');
  const full = await terminal.until(
    (rows) => rows.includes('line 60') && LINE.test(rows[29] ?? ''),
  );
  t.equal(full.indexOf('line 60'), 27, 'below it the cursor');

  await t.test('in a smaller one', async (t) => {
    terminal.resize(60, 10);
    const rows = await terminal.until((rows) => LINE.test(rows[9] ?? ''));
    t.equal(rows.filter((row) => LINE.test(row)).length, 1);
  });

  await host.shell('echo > two');
  const rows = await terminal.until((rows) => rows.some((row) => row.startsWith('tscc-pump: 1 ')));
  t.notOk(
    rows.some((row) => LINE.test(row)),
    'it is gone',
  );
  const past = terminal.rows('past');
  const from = past.indexOf(PRINTED[0] ?? '');
  t.strictSame(past.slice(from, from + PRINTED.length), PRINTED);
  t.match(past[from + PRINTED.length], /^tscc-pump: 1 compile in /);
  t.equal(terminal.state('scroll_region_lower'), '9', 'all rows scroll again');
});

await t.test('next time it knows how many compiles there will be', { skip }, async (t) => {
  const host = await withBuild(t);
  const go = 'echo > one; echo > two';
  await Promise.all([host.run('tscc-pump', ['sh', 'build']), host.shell(go)]);
  const terminal = new Terminal(t, host.directory, host.env);
  terminal.type('tscc-pump sh build');
  await terminal.until((rows) => rows[23]?.startsWith('tscc: 1 of about 1 done, ') === true);

  await t.test('stopped by ^Z it gives the terminal back, and goes on', async (t) => {
    terminal.key('C-z');
    const rows = await terminal.until((rows) => rows.some((row) => row.includes('Stopped')));
    t.notOk(rows.some((row) => row.startsWith('tscc: 1 of')));
    t.equal(terminal.state('scroll_region_lower'), '23');
    terminal.type('fg');
    await terminal.until((rows) => rows[23]?.startsWith('tscc: 1 of about 1 done, ') === true);
    await host.shell(go);
    await terminal.until((rows) => rows.some((row) => row.startsWith('tscc-pump: 1 compile')));
  });

  await t.test('an interrupt leaves none behind', async (t) => {
    terminal.type('clear; tscc-pump sh build; echo status $?');
    await terminal.until((rows) => rows[23]?.startsWith('tscc: 1 of about 1 done, ') === true);
    terminal.key('C-c');
    const rows = await terminal.until((rows) => rows.includes('status 130'));
    t.notOk(rows.some((row) => row.startsWith('tscc: 1 of')));
    t.equal(terminal.state('scroll_region_lower'), '23');
  });
});

await t.test('not where nobody wants it, or it would be in the way', { skip }, async (t) => {
  const host = await withBuild(t);
  const terminal = new Terminal(t, host.directory, host.env);
  // Where there is a line, the build is told that it is to draw none of its own.
  writeFileSync(`${host.directory}/build`, 'echo "line: ${TSCC_PROGRESS-none}" > seen\n');
  for (const [line, seen] of [
    ['tscc-pump sh build', '0'],
    ['tscc-pump sh build > output', '0'],
    ['TERM=dumb tscc-pump sh build', 'none'],
    ['tscc-pump sh build | cat', 'none'],
    ['tscc-pump sh build 2> errors', 'none'],
    ['TSCC_PROGRESS=0 tscc-pump env -u TSCC_PROGRESS sh build', 'none'],
  ] as const) {
    terminal.type(`clear; ${line}; echo end of it`);
    await terminal.until((rows) => rows.includes('end of it'));
    t.equal((await host.shell('cat seen')).stdout, `line: ${seen}\n`, line);
  }
});
