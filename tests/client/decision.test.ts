import { execFileSync } from 'node:child_process';
import t, { type Test } from 'tap';
import { decide, type Decision } from '../../src/client/decision.js';
import { parseHostList } from '../../src/client/host-list.js';
import { readSettings } from '../../src/client/settings.js';
import { digestOf } from '../../src/core/digest.js';
import type { DeclineReason } from '../../src/core/reasons.js';
import { realFiles } from '../../src/platform/files.js';
import type { RunRequest } from '../../src/protocol/launcher-wire.js';
import type { Toolchain } from '../../src/toolchain/toolchain.js';
import { runRequest, WORLD } from '../fixtures/fake-launcher.js';

const GCC = { digest: digestOf('gcc'), family: 'gcc', name: 'gcc', version: '12' } as Toolchain;
const CLANG: Toolchain = { ...GCC, family: 'clang' };

function setUp(t: Test, identity: Toolchain | DeclineReason = GCC) {
  const cwd = t.testdir({ 'x.c': 'int x;\n', 'args.rsp': '-c -O2', real: {}, directory: {} });
  const identified: string[] = [];
  const read: string[] = [];
  const context = {
    world: WORLD,
    files: {
      ...realFiles,
      read(path: string) {
        read.push(path);
        return realFiles.read(path);
      },
    },
    compilers: {
      identify(compiler: string, path: string) {
        identified.push(`${compiler} ${path}`);
        return Promise.resolve(identity);
      },
    },
  };
  return {
    cwd,
    identified,
    read,
    decide: (
      line: string,
      over: Partial<RunRequest> = {},
      list = 'red',
      environment: Readonly<Record<string, string>> = { PATH: '/bin' },
    ): Promise<Decision> => {
      const variables = new Map(Object.entries(environment));
      const parsed = parseHostList(list);
      return decide(
        runRequest({ cwd, argv: line.split(' '), environment: variables, ...over }),
        readSettings(variables),
        parsed.ok ? parsed : { ok: false, error: `wrong: ${parsed.error.message}` },
        context,
      );
    },
  };
}

await t.test('a compile that can go out', async (t) => {
  const { cwd, decide, identified } = setUp(t);
  const decision = await decide('gcc -O2 -MD -MF real/x.d -c x.c -o real/x.o');
  t.match(decision, {
    kind: 'remote',
    toolchain: GCC,
    command: { source: 'x.c', output: 'real/x.o', stage: 'object' },
    hosts: { remote: [{ name: 'red' }] },
    targets: {
      output: { path: `${cwd}/real/x.o`, keptMode: undefined },
      dependencies: { path: `${cwd}/real/x.d`, keptMode: undefined },
    },
  });
  t.strictSame(identified, ['/usr/bin/gcc /bin'], "by the build's PATH");
  t.match(await decide(`gcc -c ${cwd}/x.c`), {
    targets: { output: { path: `${cwd}/x.o` }, dependencies: undefined },
  });
});

await t.test('what needs no compiler to be told asks for none', async (t) => {
  const { decide, identified, cwd } = setUp(t);
  t.strictSame(await decide('gcc -o x x.o'), { kind: 'other', other: 'link' });
  t.match(await decide('gcc -c -march=native x.c'), { kind: 'decline', reason: 'native-cpu' });
  const source = 'x.c';
  t.strictSame(await decide('gcc -c x.c', {}, ''), { kind: 'decline', reason: 'no-hosts', source });
  t.match(await decide('gcc -c x.c', {}, 'localhost'), { reason: 'scheduled-local' });
  t.strictSame(await decide('gcc -c x.c', {}, 'red:x'), {
    kind: 'decline',
    reason: 'bad-hosts',
    source,
    notice: "wrong: port 'x' is not 1 to 65535",
  });
  const local = { TSCC_MODE: 'local' };
  t.match(await decide('gcc -c x.c', {}, 'red', local), { reason: 'mode-local', source });
  t.match(await decide('gcc -c x.c', { version: 99 }), { reason: 'version-mismatch' });
  t.strictSame(identified, []);
  await decide('gcc -c x.c', { cwd });
  t.equal(identified.length, 1);
});

await t.test('links and queries stay what they are, whatever else is wrong', async (t) => {
  const { decide } = setUp(t);
  const query = { kind: 'other', other: 'query' } as const;
  t.strictSame(await decide('gcc --version', {}, 'red:x'), query);
  t.strictSame(await decide('gcc --version', { world: 'elsewhere' }), query);
  t.strictSame(await decide('gcc --version', {}, 'red', { TSCC_MODE: 'local' }), query);
});

await t.test("a foreign launcher's paths are not followed", async (t) => {
  const { decide, read, identified } = setUp(t);
  t.match(await decide('gcc x.c -c @args.rsp', { world: 'mnt:[9] 2 3' }), {
    kind: 'decline',
    reason: 'foreign-namespace',
  });
  t.strictSame([read, identified], [[], []]);
  t.match(await decide('gcc x.c -c @args.rsp'), { kind: 'remote', command: { source: 'x.c' } });
  t.equal(read.length, 1);
});

await t.test('a response file that is no file is not waited for', async (t) => {
  const { cwd, decide } = setUp(t);
  execFileSync('mkfifo', [`${cwd}/fifo.rsp`]);
  for (const name of ['fifo.rsp', 'directory', 'absent.rsp']) {
    t.match(
      await decide(`gcc -c x.c @${name}`),
      { reason: 'unreadable-response-file', source: 'x.c' },
      name,
    );
  }
});

await t.test('a compiler under another name is read by its own options', async (t) => {
  // Known to GCC alone, so that its meaning depends on who it is.
  const line = 'cc -c -fconserve-stack x.c';
  const named = { compiler: '/usr/bin/cc' };
  t.match(await setUp(t).decide(line, named), { kind: 'remote' });
  const clang = setUp(t, CLANG);
  t.match(await clang.decide(line, named), { reason: 'option:-fconserve-stack' });
  t.match(await clang.decide('cc -c -- x.c', named), { reason: 'option:--' }, 'seen before asking');
  t.match(await clang.decide('clang-14 -c -- x.c', { compiler: '/usr/bin/clang-14' }), {
    kind: 'remote',
    command: { family: 'clang' },
  });
});

await t.test('a compiler without identity', async (t) => {
  for (const reason of ['compiler-is-script', 'compiler-unknown'] as const) {
    t.strictSame(await setUp(t, reason).decide('gcc -c x.c'), {
      kind: 'decline',
      reason,
      source: 'x.c',
    });
  }
});

await t.test('what one mode cannot carry another may', async (t) => {
  const { decide } = setUp(t);
  const obstacles = async (line: string, mode: string) => {
    const decision = await decide(line, {}, 'red', { PATH: '/bin', TSCC_MODE: mode });
    return decision.kind === 'remote' ? decision.obstacles : decision;
  };
  const coverage = 'gcc -c --coverage x.c';
  t.strictSame(await obstacles(coverage, 'pump'), { pump: undefined, plain: 'coverage' });
  t.match(await obstacles(coverage, 'plain'), { kind: 'decline', reason: 'coverage' });
  t.strictSame(await obstacles('gcc -c x.c', 'plain'), { pump: 'mode-plain', plain: undefined });
  t.strictSame(await obstacles('gcc -c x.c', 'pump'), { pump: undefined, plain: undefined });
});

await t.test('what no mode can carry, read or write', async (t) => {
  const { decide } = setUp(t);
  const cases: [string, DeclineReason][] = [
    ['gcc -c -fplugin=p.so x.c', 'option:-fplugin='],
    ['gcc -c absent.c', 'unreadable-input'],
    ['gcc -c x.c -o /dev/null', 'output-special'],
    ['gcc -c x.c -o directory', 'output-special'],
    ['gcc -c x.c -o absent/x.o', 'output-unwritable'],
    ['gcc -c -MD -MF directory x.c', 'output-special'],
    ['gcc -c -MD -MF absent/x.d x.c', 'output-unwritable'],
  ];
  for (const [line, reason] of cases) {
    t.match(await decide(line), { kind: 'decline', reason }, line);
  }
});
