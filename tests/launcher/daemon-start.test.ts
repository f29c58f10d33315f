import { existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { FakeDaemon, socketPathFor } from '../fixtures/fake-daemon.js';
import { LauncherSandbox } from '../fixtures/launcher-sandbox.js';
import type { StartNote } from '../fixtures/stand-in-daemon.js';
import { without } from '../fixtures/tools.js';

const standIn = new URL('../fixtures/stand-in-daemon.js', import.meta.url);

/** A launcher in an installation of its own, whose daemon is `script` run by `node`. */
class Installation {
  readonly sandbox: LauncherSandbox;
  readonly program: string;

  constructor(t: Test, script: string, node = process.execPath) {
    this.sandbox = new LauncherSandbox(t);
    this.program = this.sandbox.compileLauncher([`-DTSCC_NODE="${node}"`]);
    const directory = join(this.sandbox.directory, 'own/build/src/client');
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'session-daemon-main.js'), script);
    this.sandbox.script('mycc', 'echo compiled');
    t.teardown(() => {
      for (const { pid } of this.starts) process.kill(pid, 'SIGKILL');
    });
  }

  get starts(): StartNote[] {
    const path = join(this.sandbox.state, 'starts');
    const lines = existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n') : [];
    return lines.map((line): StartNote => JSON.parse(line));
  }

  /** A file of the daemon's place: `sock`, `lock` or `failed`. */
  file(kind: string): string {
    return socketPathFor(this.sandbox.runtime, this.sandbox.state).replace(/sock$/, kind);
  }
}

const noteAndServe = `import(${JSON.stringify(standIn.href)}).then((it) => it.standIn())`;
const noteAndEnd = (state: string): string =>
  `require('node:fs').appendFileSync(${JSON.stringify(`${state}/ends`)}, 'x')`;

await t.test('the first launcher starts the daemon, cut off from the build', async (t) => {
  const { sandbox, program, ...rest } = bound(new Installation(t, noteAndServe));
  const ending = await sandbox.run(
    ['-c', 'umask 0; exec 5</dev/null 7>&1; exec "$0" mycc', program],
    {
      program: '/bin/sh',
      environment: { SECRET: 'of the build' },
    },
  );
  t.match(ending, { status: 0, stderr: '' });
  t.equal(ending.stdout.toString(), 'compiled\n');

  const [note] = rest.starts();
  const socket = rest.file('sock');
  t.same(note?.words, ['--state', sandbox.state, '--socket', socket]);
  t.same(Object.keys(note?.environment ?? {}), ['PATH']);
  t.match(note, { cwd: '/', umask: 0o077, sockets: 1 });
  const log = join(sandbox.state, 'daemon.log');
  t.same(note?.descriptors.slice(0, 3), ['/dev/null', log, log]);
  t.match(note?.descriptors[3], /^socket:/);

  // The build's pipes ended above, though the daemon lives: `ending` waits for that.
  const stat = readFileSync(`/proc/${note?.pid}/stat`, 'utf8').replace(/.*\) /, '').split(' ');
  const [, parent, group, session] = stat;
  t.not(parent, String(process.pid));
  t.equal(session, group);
  t.not(session, readFileSync('/proc/self/stat', 'utf8').replace(/.*\) /, '').split(' ')[3]);

  t.equal((await sandbox.run(['mycc'], { program })).stdout.toString(), 'compiled\n');
  t.equal(rest.starts().length, 1, 'the second launcher finds it');
});

await t.test('64 first starts at once end with one daemon', async (t) => {
  const { sandbox, program, starts } = bound(new Installation(t, noteAndServe));
  const endings = await Promise.all(
    Array.from({ length: 64 }, () => sandbox.run(['mycc'], { program })),
  );
  for (const ending of endings) {
    if (ending.status === 0 && ending.stderr === '' && ending.stdout.length === 9) continue;
    t.fail('a launcher that failed', { ending });
  }
  t.equal(starts().length, 1);
});

await t.test(
  'the daemon keeps neither locks nor pipes of the build',
  { skip: without('flock') },
  async (t) => {
    const { sandbox, program, starts } = bound(new Installation(t, noteAndServe));
    const script = 'out=$(flock lock "$0" mycc | cat); echo "got $out"; flock -n lock echo free';
    const ending = await sandbox.run(['-c', script, program], { program: '/bin/sh' });
    t.equal(ending.stdout.toString(), 'got compiled\nfree\n');
    t.equal(starts().length, 1);
  },
);

for (const tool of ['make', 'ninja']) {
  const skip = without(tool);
  await t.test(`${tool} ends although the daemon that it started lives on`, { skip }, async (t) => {
    const { sandbox, program, starts } = bound(new Installation(t, noteAndServe));
    const names = Array.from({ length: 8 }, (_, i) => `${i}.o`);
    sandbox.script('mycc', 'touch "$1"');
    // `+` hands the jobserver on, as for a compiler that is a make itself (LTO).
    const makefile = `.PHONY: all\nall: ${names.join(' ')}\n%.o:\n\t+@${program} mycc $@\n`;
    const rule = `rule cc\n  command = ${program} mycc $out\n`;
    writeFileSync(join(sandbox.work, 'Makefile'), makefile);
    writeFileSync(
      join(sandbox.work, 'build.ninja'),
      rule + names.map((name) => `build ${name}: cc\n`).join(''),
    );
    const ending = await sandbox.run(['-j3'], { program: tool });
    t.match(ending, { status: 0, stderr: '' });
    t.equal(sandbox.list().filter((name) => name.endsWith('.o')).length, names.length);
    t.equal(starts().length, 1);
  });
}

await t.test('a stale socket is replaced', async (t) => {
  const { sandbox, program, starts, file } = bound(new Installation(t, noteAndServe));
  mkdirSync(join(sandbox.runtime, 'tscc'), { mode: 0o700 });
  // Bound by a process that has ended without removing it.
  const left = await sandbox.run(
    [
      '-e',
      `require('net').createServer().listen(${JSON.stringify(file('sock'))}, () => process.kill(process.pid, 9))`,
    ],
    { program: process.execPath },
  );
  t.equal(left.signal, 'SIGKILL');
  t.ok(existsSync(file('sock')));
  t.equal((await sandbox.run(['mycc'], { program })).stdout.toString(), 'compiled\n');
  t.equal(starts().length, 1);
});

await t.test('a daemon that ends at once is not started again for a while', async (t) => {
  const installation = new Installation(t, '');
  const { sandbox, program, file } = bound(installation);
  const main = join(sandbox.directory, 'own/build/src/client/session-daemon-main.js');
  writeFileSync(main, noteAndEnd(sandbox.state));
  const ends = (): number => readFileSync(join(sandbox.state, 'ends')).length;
  for (let i = 0; i < 3; i++) {
    const ending = await sandbox.run(['mycc'], { program });
    t.match(ending, { status: 0, stderr: '' });
    t.equal(ending.stdout.toString(), 'compiled\n');
  }
  t.equal(ends(), 1);

  const longAgo = Date.now() / 1000 - 11;
  utimesSync(file('failed'), longAgo, longAgo);
  writeFileSync(main, noteAndServe);
  await sandbox.run(['mycc'], { program });
  t.equal(installation.starts.length, 1, 'after that it is tried again');
});

await t.test('without node the compiler runs, whatever TSCC_FALLBACK says', async (t) => {
  const { sandbox, program, file } = bound(new Installation(t, '', '/nowhere/node'));
  sandbox.script('mycc', 'echo compiled', join(sandbox.directory, 'only'));
  const environment = { PATH: join(sandbox.directory, 'only'), TSCC_FALLBACK: '0' };
  for (let i = 0; i < 2; i++) {
    const ending = await sandbox.run(['mycc'], { program, environment });
    t.match(ending, { status: 0, stderr: '' });
    t.equal(ending.stdout.toString(), 'compiled\n');
  }
  t.ok(existsSync(file('failed')));
  const verbose = { ...environment, TSCC_VERBOSE: '1' };
  const told = await sandbox.run(['mycc'], { program, environment: verbose });
  t.match(told.stderr, /^(tscc: .*\n)+$/);
  t.match(told.stderr, /runs here/);
});

await t.test('the daemon of the state directory alone is asked', async (t) => {
  const { sandbox, program, starts } = bound(new Installation(t, noteAndServe));
  const daemon = await FakeDaemon.listen({
    runtime: sandbox.runtime,
    state: fileURLToPath(new URL('file:///another/state')),
  });
  t.teardown(() => daemon.close());
  await sandbox.run(['mycc'], { program });
  t.equal(daemon.unaccepted, 0);
  t.equal(starts().length, 1);
});

/** The members that tests use, without `this`. */
function bound(installation: Installation): {
  sandbox: LauncherSandbox;
  program: string;
  starts: () => StartNote[];
  file: (kind: string) => string;
} {
  return {
    sandbox: installation.sandbox,
    program: installation.program,
    starts: () => installation.starts,
    file: (kind) => installation.file(kind),
  };
}
