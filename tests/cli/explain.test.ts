import { spawnSync } from 'node:child_process';
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { compileLine } from '../fixtures/build-lines.js';
import { scratchDirectory } from '../fixtures/commands.js';

const main = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const cwd = scratchDirectory();
const state = scratchDirectory();

const LOCAL = {
  v: 1,
  time: 0,
  event: 'local',
  id: 1,
  cwd,
  argv: ['gcc', '-c', 'x.c'],
  source: 'x.c',
  decline: 'no-hosts',
  waited: 3,
};

mkdirSync(join(state, 'journal'), { recursive: true });
const journal = [LOCAL, { v: 1, time: 9, event: 'local-end', id: 1, ran: 50 }, { ...LOCAL, id: 2 }];
writeFileSync(
  join(state, 'journal/build.jsonl'),
  journal.map((line) => `${JSON.stringify(line)}\n`).join(''),
);

function explain(...words: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'explain', ...words], {
    cwd,
    env: { PATH: process.env.PATH, TSCC_DIR: state, XDG_RUNTIME_DIR: state },
  });
  return { status, stdout: stdout.toString(), stderr: stderr.toString() };
}

await t.test('the newest compile of a file', async (t) => {
  const { status, stdout } = explain('x.o');
  t.equal(status, 0);
  t.match(stdout, /^x\.o \(x\.c\): local\n {2}decline no-hosts: .*\n/);
  t.match(stdout, /\n {2}\(1 earlier in this session: --all\)\n$/);
  t.equal(explain(join(cwd, 'x.c')).stdout, stdout);
});

await t.test('all of them, for scripts', async (t) => {
  const { stdout } = explain('--all', '--json', 'x.c');
  t.match(JSON.parse(stdout), {
    schema: 1,
    session: 'build',
    compiles: [
      { id: 2, outcome: 'local', reason: 'no-hosts', ran: null },
      { id: 1, ran: 50 },
    ],
  });
  t.match(JSON.parse(explain('--json', 'x.o').stdout), { compiles: { length: 1 } });
});

await t.test('what there is not', async (t) => {
  t.match(explain('y.o'), { status: 1, stdout: '', stderr: /^tscc: session build has no compile/ });
  t.match(explain('--session', 'other', 'x.o'), { status: 115, stderr: /no session 'other' in/ });
  t.match(explain(), { status: 101 });
});

await t.test('why it was compiled again', async (t) => {
  const store = (session: string, key: string, options: readonly string[], age: number) => {
    const path = join(state, `journal/${session}.jsonl`);
    const line = compileLine(7, 'again', 100, { remote: 50 }, { cwd, key, argv: options });
    writeFileSync(path, `${JSON.stringify(line)}\n`);
    const time = Date.now() / 1000 - age;
    utimesSync(path, time, time);
  };
  store('oldest', 'k1', ['gcc', '-c', 'again.c'], 300);
  store('older', 'k1', ['gcc', '-c', 'again.c'], 200);
  store('newest', 'k2', ['gcc', '-O2', '-c', 'again.c'], -100);
  t.match(
    explain('again.o').stdout,
    /^ {2}rebuilt because the command changed: – → -O2 \(since session older\)$/m,
  );
  t.match(explain('--session', 'older', 'again.o').stdout, /nothing .* since session oldest/);
  t.match(explain('--session', 'oldest', 'again.o').stdout, /not compiled in the sessions before/);
  const { compiles } = JSON.parse(explain('--json', 'again.o').stdout);
  t.match(compiles, [{ again: { kind: 'changed', session: 'older' } }]);
});
