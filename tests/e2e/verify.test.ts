/** Compiles that are done on a server and here, and compared: TSCC_VERIFY and `tscc verify`. */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import t, { type Test } from 'tap';
import type { VerifyReport } from '../../src/report/verify-report.js';
import { isSampled } from '../../src/client/verify-sample.js';
import { elfSections } from '../../src/toolchain/elf-sections.js';
import type { JournalLine } from '../../src/report/events.js';
import { parseJournal } from '../../src/report/journal.js';
import { BuildHost } from '../fixtures/build-host.js';
import { FaultProxy } from '../fixtures/fault-proxy.js';
import { tamperedResults, type Change } from '../fixtures/tampered-results.js';

const FILES = {
  'a.h': '#define N 3\nstatic inline int twice(int n) { return 2 * n; }\n',
  'a.c': '#include "a.h"\nint a(int n) { return twice(n) + N; }\n',
  'b.c': '#include "a.h"\nint b(int n) { int unused; return n * N; }\n',
};

/** One bit of the first byte of code. */
const oneByte: Change = (object) => {
  const code = elfSections(object)?.find(({ name }) => name === '.text')?.bytes as Buffer;
  code[2] = (code[2] ?? 0) ^ 1;
  return object;
};

const host = new BuildHost(t);
const servers = await host.startServers(['127.0.0.1']);
const proxy = await FaultProxy.start(t, servers.hosts);
host.env['TSCC_HOSTS'] = proxy.host;
for (const [name, text] of Object.entries(FILES)) writeFileSync(`${host.directory}/${name}`, text);

let sessions = 0;

/** Runs a shell line in a session of its own. */
async function build(line: string, env: NodeJS.ProcessEnv = {}) {
  const session = `verify-${++sessions}`;
  proxy.fault = env['CHANGE'] === undefined ? undefined : tamperedResults(oneByte);
  const finished = await host.shell(line, {
    env: { TSCC_MODE: 'pump', TSCC_VERIFY: '1000', TSCC_SESSION: session, ...env },
  });
  proxy.fault = undefined;
  const status = await host.status(session);
  const path = `${host.directory}/.state/journal/${session}.jsonl`;
  const events = () => [...parseJournal(readFileSync(path, 'utf8'))];
  return { ...finished, session, counts: status, events };
}

type Event<K extends JournalLine['event']> = Extract<JournalLine, { readonly event: K }>;

function eventsOf<K extends JournalLine['event']>(lines: readonly JournalLine[], event: K) {
  return lines.filter((line): line is Event<K> => line.event === event);
}

const mismatches = () => {
  const directory = `${host.directory}/.state/mismatches`;
  return existsSync(directory) ? readdirSync(directory).map((name) => `${directory}/${name}`) : [];
};

function noLeftovers(t: Test): void {
  t.strictSame(host.leftovers(), []);
  t.strictSame(
    readdirSync(`${host.directory}/tscc`).filter((name) => name.includes('source')),
    [],
  );
}

await t.test(
  'what is the same is in place, with what the compiler said, and counted',
  async (t) => {
    const words = '-O2 -g -Wall -MD -fstack-usage';
    const made = await build(`umask 027; tscc gcc ${words} -c b.c && tscc gcc ${words} -c a.c`);
    const local = await host.shell(`mkdir l && gcc ${words} -c b.c -o l/b.o`);
    t.equal(made.status, 0);
    t.equal(made.stderr, local.stderr, 'the warning, once');
    t.match(made.counts, {
      outcomes: { pump: 2, local: 0 },
      verified: 2,
      mismatches: 0,
      unverified: {},
    });
    t.match(eventsOf(made.events(), 'verify'), [
      { source: 'b.c', output: 'b.o', verdict: 'same', differences: [] },
      { source: 'a.c', verdict: 'same' },
    ]);
    t.equal(statSync(`${host.directory}/b.o`).mode & 0o777, 0o640, "the build's umask");
    t.ok(existsSync(`${host.directory}/b.d`) && existsSync(`${host.directory}/b.su`));
    const [{ phases }] = eventsOf(made.events(), 'compile') as [Event<'compile'>];
    t.ok(phases.verify > 0);
    noLeftovers(t);
  },
);

await t.test('in plain mode too, whose columns in debug information may differ', async (t) => {
  const made = await build('tscc gcc -O2 -g -MD -c a.c && tscc gcc -S -g a.c', {
    TSCC_MODE: 'plain',
  });
  t.equal(made.status, 0, made.stderr);
  t.match(made.counts, { outcomes: { plain: 2 }, verified: 2, mismatches: 0 });
  noLeftovers(t);
});

await t.test('one byte is found and named, and the local object is used', async (t) => {
  const expected = await host.shell('gcc -O2 -c a.c -o expected.o');
  t.equal(expected.status, 0);
  for (const mode of ['pump', 'plain']) {
    const before = mismatches().length;
    const made = await build('tscc gcc -O2 -c a.c', { TSCC_MODE: mode, CHANGE: '1' });
    t.equal(made.status, 0);
    t.match(
      made.stderr,
      /^tscc: MISMATCH: a\.c: 127\.0\.0\.1:\d+ made another result than this host: a\.o: section \.text at offset 0x2: [^\n]* here; the local one is used, both are in \/[^\n]*\n$/,
    );
    t.equal((await host.shell('cmp a.o expected.o')).status, 0);
    t.match(made.counts, {
      outcomes: { pump: 0, plain: 0, local: 1 },
      fallbacks: { 'verify-mismatch': 1 },
      verified: 1,
      mismatches: 1,
    });
    t.equal(mismatches().length, before + 1);
    const [{ kept = '' }] = eventsOf(made.events(), 'verify') as [Event<'verify'>];
    t.ok(made.stderr.includes(kept));
    const [remote, local] = ['remote', 'local'].map((side) =>
      readFileSync(`${kept}/${side}-1-a.o`),
    );
    t.ok(local?.equals(readFileSync(`${host.directory}/expected.o`)));
    t.equal(remote?.equals(local ?? Buffer.alloc(0)), false);
    t.match(JSON.parse(readFileSync(`${kept}/mismatch.json`, 'utf8')), {
      schema: 1,
      source: 'a.c',
      argv: ['gcc', '-O2', '-c', 'a.c'],
    });
    noLeftovers(t);
  }
});

await t.test('a mismatch is an error where that is wanted', async (t) => {
  const env = { TSCC_VERIFY_FAIL: '1' };
  const made = await build('rm -f a.o; tscc gcc -O2 -MD -c a.c', { ...env, CHANGE: '1' });
  t.equal(made.status, 100);
  t.match(made.stderr, /\ntscc: verify-mismatch: a\.c: a\.o: section \.text at offset 0x2/);
  t.equal(existsSync(`${host.directory}/a.o`), false, 'the next make tries again');
  t.match(made.counts, { failed: 1, mismatches: 1, fallbacks: { 'verify-mismatch': 1 } });
});

await t.test('what differs from run to run is no mismatch, unless more differs', async (t) => {
  const words = '--coverage -O2';
  const made = await build(`tscc gcc ${words} -c a.c`);
  t.equal(made.stderr, '');
  t.match(made.counts, {
    outcomes: { pump: 1 },
    unverified: { 'not-reproducible': 1 },
    mismatches: 0,
  });
  const changed = await build(`tscc gcc ${words} -c a.c`, { CHANGE: '1' });
  t.match(changed.stderr, /MISMATCH: a\.c: .*section \.text at offset 0x2/);
  t.match(changed.counts, { mismatches: 1 });
});

await t.test('a sample is what the names of session and outputs make it', async (t) => {
  const names = ['s1.o', 's2.o', 's3.o', 's4.o'];
  const made = await build(`for o in ${names.join(' ')}; do tscc gcc -c a.c -o $o || exit; done`, {
    TSCC_VERIFY: '400',
  });
  t.strictSame(
    eventsOf(made.events(), 'verify').map(({ output }) => output),
    names.filter((name) => isSampled(400, made.session, `${host.directory}/${name}`)),
  );
  t.equal(made.counts.outcomes.pump, 4);
});

const UNSHARE = process.getuid?.() === 0 ? ['-m'] : ['-m', '--map-root-user'];
const cannotMount =
  spawnSync('unshare', [...UNSHARE, 'mount', '-t', 'tmpfs', 'none', '/mnt']).status !== 0 &&
  'mounting is not permitted here';

/** Names below one of the build's directories; none below a file. */
function below(name: string): string[] {
  const path = `${host.directory}/${name}`;
  if (!statSync(path).isDirectory()) return [];
  return readdirSync(path, { recursive: true, encoding: 'utf8' }).map((one) => `${name}/${one}`);
}

await t.test('tscc verify', { skip: cannotMount }, async (t) => {
  const line = 'mkdir -p out && tscc gcc -g -MD -c a.c -o out/a.o && tscc gcc $F -c b.c -o out/b.o';
  const F = '-gsplit-dwarf -DQUOTED=\\"x\\"';
  const { session } = await build(line, { TSCC_VERIFY: '', F, LC_ALL: 'C' });
  const tree = () =>
    // Not into what servers and daemons keep: it comes and goes.
    readdirSync(host.directory)
      .flatMap((name) => (/^(?:\.st|tscc)/.test(name) ? [] : [name, ...below(name)]))
      .map((name) => `${name} ${statSync(`${host.directory}/${name}`).mtimeMs}`);
  const before = tree();
  const scratches = () => readdirSync(tmpdir()).filter((name) => name.startsWith('tscc-verify-'));
  const scratched = scratches();
  const verify = (change: boolean, ...words: string[]) => {
    proxy.fault = change ? tamperedResults(oneByte) : undefined;
    return host.run('tscc', ['verify', '--session', session, ...words]);
  };

  await t.test('everything is the same, and nothing is touched', async (t) => {
    const { status, stdout, stderr } = await verify(false, '--all');
    t.equal(stderr, '');
    t.equal(status, 0);
    t.equal(
      stdout,
      `session ${session}: 2 of 2 remote compiles done again, 2 compared, all the same\n`,
    );
  });

  await t.test('a byte that differs', async (t) => {
    const keep = `${host.directory}/.state/apart`;
    const { status, stdout } = await verify(true, '--all', '--json', '--keep', keep);
    t.equal(status, 1);
    const report = JSON.parse(stdout) as VerifyReport;
    t.match(report, { schema: 1, session, compiles: 2, picked: 2, verified: 2, unverified: {} });
    t.strictSame(report.mismatches.map(({ output }) => output).toSorted(), ['out/a.o', 'out/b.o']);
    for (const { differences, kept } of report.mismatches) {
      t.match(differences, [/^out\/[ab]\.o: section \.text at offset 0x2: /]);
      t.ok(kept?.startsWith(`${keep}/`));
      t.ok(existsSync(`${kept}/remote-1-a.o`) || existsSync(`${kept}/remote-1-b.o`));
    }
  });

  await t.test('what cannot be compared', async (t) => {
    const hosts = host.env['TSCC_HOSTS'];
    host.env['TSCC_HOSTS'] = '127.0.0.1:1';
    const alone = await verify(false, '--sample', '1');
    host.env['TSCC_HOSTS'] = hosts;
    t.equal(alone.status, 100);
    t.match(alone.stdout, /^not compared: 1 × no-server \(/);
    t.match(alone.stderr, /^tscc: no compile could be compared\n$/);
    t.match(await host.run('tscc', ['verify', '--session', 'none']), {
      status: 115,
      stderr: /^tscc: there is no session 'none' with remote compiles in /,
    });
  });

  t.strictSame(tree(), before, 'the build is as it was');
  t.strictSame(scratches(), scratched);
});
