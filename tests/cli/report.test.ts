import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { SMALL_BUILD } from '../fixtures/build-lines.js';
import { scratchDirectory } from '../fixtures/commands.js';

const main = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const cwd = scratchDirectory();
const state = scratchDirectory();

function report(...words: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'report', ...words], {
    cwd,
    env: { PATH: process.env.PATH, TSCC_DIR: state, XDG_RUNTIME_DIR: state },
  });
  return { status, stdout: stdout.toString(), stderr: stderr.toString() };
}

await t.test('no session yet', async (t) => {
  t.match(report(), { status: 115, stderr: /there is no session yet in / });
});

await t.test(
  'a page in the state directory, for its owner only, as long as the journal',
  async (t) => {
    const journal = SMALL_BUILD.map((line) => `${JSON.stringify(line)}\n`).join('');
    mkdirSync(join(state, 'journal'), { recursive: true });
    mkdirSync(join(state, 'reports'));
    writeFileSync(join(state, 'journal/build.jsonl'), journal);
    writeFileSync(join(state, 'reports/old.html'), '');
    const { status, stdout } = report();
    t.equal(status, 0);
    t.equal(stdout, `${state}/reports/build.html\n`);
    t.equal(statSync(stdout.trim()).mode & 0o777, 0o600);
    t.match(readFileSync(stdout.trim(), 'utf8'), /^<!doctype html>[^]*<title>build: tscc report/);
    t.notOk(existsSync(join(state, 'reports/old.html')), 'its journal is gone');
  },
);

await t.test('other forms, on standard output or in a file', async (t) => {
  t.match(JSON.parse(report('--json').stdout), { schema: 1, session: 'build', wall: 200 });
  t.match(report('--text').stdout, /^session build, /);
  t.match(JSON.parse(report('--trace', '--session', 'build').stdout), { displayTimeUnit: 'ms' });
  t.equal(report('--output', 'x/page.html').stdout, '');
  t.match(readFileSync(join(cwd, 'x/page.html'), 'utf8'), '<!doctype html>');
  t.match(report('--output', '-').stdout, '<!doctype html>');
});

await t.test('what cannot be', async (t) => {
  t.match(report('--json', '--text'), { status: 101, stderr: /only one of them/ });
  t.match(report('--session', 'none'), { status: 115, stderr: /no session 'none'/ });
  writeFileSync(join(cwd, 'file'), '');
  t.match(report('--output', 'file/x'), { status: 107, stderr: /^tscc: cannot write file\/x: / });
});
