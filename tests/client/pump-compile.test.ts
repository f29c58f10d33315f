/** A compile in pump mode, with include server, servers and launcher played by the test. */
import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { fallback, type RunLocally } from '../../src/client/compile-verdict.js';
import type { CompileSteps } from '../../src/client/compile-steps.js';
import type { RemoteDecision } from '../../src/client/decision.js';
import type { NoPlace } from '../../src/client/farm.js';
import type { LauncherConnection } from '../../src/client/launcher-connection.js';
import { findOutputTarget } from '../../src/client/output-target.js';
import { PumpCompile, type PumpCompileContext } from '../../src/client/pump-compile.js';
import {
  RemoteFailure,
  type FilesRead,
  type PumpedJob,
  type RemoteResult,
} from '../../src/client/remote-job.js';
import { digestOf } from '../../src/core/digest.js';
import { PUMP } from '../../src/core/limits.js';
import type { ClosureAnswer } from '../../src/include-server/include-server.js';
import type { ClockWord } from '../../src/include-server/scanned-file.js';
import { realFiles } from '../../src/platform/files.js';
import type { TreeEntry } from '../../src/protocol/tree-entry.js';
import type { CompilerFamily } from '../../src/toolchain/options/option-table.js';
import { parseCommand } from '../../src/toolchain/parse-command.js';
import { runRequest } from '../fixtures/fake-launcher.js';
import type { Toolchain } from '../../src/toolchain/toolchain.js';

const OBJECT = Buffer.from('object');
const ENTRY: TreeEntry = { kind: 'directory', path: '/w' };
const SOURCE: TreeEntry = { kind: 'directory', path: '/w/x.c' };
const READ: FilesRead = { entries: [ENTRY], uncovered: [] };

interface Options {
  /** Precompiled headers that it meets. */
  readonly precompiled?: readonly string[];
  readonly argv?: readonly string[];
  readonly obstacle?: NoPlace;
  /** What the servers answer, one job after another. */
  readonly results?: readonly (Partial<RemoteResult> | RemoteFailure | RunLocally)[];
  /** What stands in the way once a job was tried. */
  readonly obstacleLater?: NoPlace;
  /** What has changed when each of them is there. */
  readonly changed?: readonly TreeEntry[][];
  readonly closure?: ClosureAnswer;
  readonly clockWords?: ReadonlyMap<string, ReadonlySet<ClockWord>>;
  readonly files?: Readonly<Record<string, string>>;
  readonly stderrIsTerminal?: boolean;
  /** Files in which a terminal is looked up; without them nobody elsewhere can be told of it. */
  readonly terminal?: readonly string[];
  readonly family?: CompilerFamily;
}

function setUp(t: Test, options: Options = {}) {
  const cwd = t.testdir({ 'x.c': 'int x;\n', ...options.files });
  const stderrIsTerminal = options.stderrIsTerminal ?? false;
  const argv = options.argv ?? ['gcc', '-c', 'x.c'];
  const family = options.family ?? 'gcc';
  const request = runRequest({
    cwd,
    argv,
    environment: new Map(),
    umask: 0o022,
    stderrIsTerminal,
    isAskedAgain: false,
    stdinColumns: stderrIsTerminal ? 77 : 0,
  });
  const parsed = parseCommand({
    argv,
    cwd,
    environment: request.environment,
    family,
    readResponseFile: () => undefined,
  });
  if (parsed.kind !== 'compile') throw new Error('no compile');
  const { command } = parsed;
  const target = (path: string) => {
    const found = findOutputTarget(path, cwd, 'dependencies', family, realFiles);
    if (!found.ok) throw new Error(found.error);
    return found.value;
  };
  const decision = {
    kind: 'remote',
    command,
    toolchain: { family, compiler: '/usr/bin/gcc', files: ['/usr/bin/gcc'] },
    hosts: { remote: [], localhost: 0 },
    targets: {
      output: target(command.output),
      dependencies: command.dependencies && target(command.dependencies.path),
    },
    obstacles: { pump: undefined, plain: undefined },
  } as unknown as RemoteDecision;

  const compilerFiles: string[][] = [];
  const jobs: PumpedJob[] = [];
  const asked: (readonly string[] | undefined)[] = [];
  const told: string[] = [];
  const commits: string[][] = [];
  const results = [...(options.results ?? [{}])];
  const changed = [...(options.changed ?? [])];
  const blamed: string[] = [];
  const steps = {
    phase: '',
    times: {},
    lap() {},
    obstacle: () => Promise.resolve(jobs.length === 0 ? options.obstacle : options.obstacleLater),
    run(job: PumpedJob) {
      jobs.push(job);
      const next = results.shift();
      if (next instanceof Error) return Promise.reject(next);
      const result = {
        status: 0,
        signal: 0,
        outputs: new Map([[0, OBJECT]]),
        stdout: new Uint8Array(),
        stderr: new Uint8Array(),
        read: READ,
        ...next,
      };
      return Promise.resolve({ result, host: 'red', retries: 0 });
    },
    blame: (host: string, why: string) => blamed.push(`${host}: ${why}`),
    written: (writing: Promise<void>) => writing,
    commit(outputs: { renames(made: unknown): { target: string }[] }, made: unknown) {
      commits.push(outputs.renames(made).map(({ target: to }) => to.replace(`${cwd}/`, '')));
      return Promise.resolve();
    },
  } as unknown as CompileSteps;
  const launcher = {
    gone: new AbortController().signal,
    send: (frame: { kind: string; bytes?: Uint8Array }) =>
      told.push(frame.kind === 'temporary' ? frame.kind : `${frame.kind} ${String(frame.bytes)}`),
  } as unknown as LauncherConnection;
  const closure = {
    version: 1,
    sourceEntry: SOURCE,
    entries: () => [ENTRY],
    precompiled: options.precompiled ?? [],
    clockWords: options.clockWords ?? new Map(),
  };
  const context = {
    files: realFiles,
    compilerFiles: {
      of: (toolchain: Toolchain, _: unknown, more: readonly string[] = []) => {
        compilerFiles.push([...toolchain.files, ...more]);
        return toolchain.files;
      },
    },
    terminals: { of: () => options.terminal },
    precompiled: { recipeOf: () => Promise.resolve(undefined), isStill: () => true },
    unique: () => 'unique',
    includes: {
      closureOf(_command: unknown, _toolchain: unknown, _environment: unknown, also: string[]) {
        asked.push(also.map((path) => path.replace(`${cwd}/`, '')));
        return Promise.resolve(options.closure ?? { kind: 'closure', closure });
      },
      readSource: () =>
        Promise.resolve({
          path: `${cwd}/x.c`,
          bytes: readFileSync(`${cwd}/x.c`),
          digest: digestOf(readFileSync(`${cwd}/x.c`)),
          mtime: 1,
          mode: 0o644,
        }),
      changedSince: () => Promise.resolve(changed.shift() ?? []),
    },
  } as unknown as PumpCompileContext;
  const compile = new PumpCompile(request, decision, launcher, steps, context, 0, () => {});
  return { compile, compilerFiles, jobs, asked, told, commits, cwd };
}

const leftovers = (cwd: string) =>
  realFiles.newestFirst(cwd).filter((name) => name.startsWith('.tscc'));

await t.test('what comes back is put in place, the object last', async (t) => {
  const outputs = new Map([
    [0, OBJECT],
    [1, Buffer.from('x.o: x.c\n')],
  ]);
  const printed = { stdout: Buffer.from('out'), stderr: Buffer.from('warning') };
  const argv = ['gcc', '-MD', '-c', 'x.c'];
  const run = setUp(t, { argv, results: [{ outputs, ...printed }] });
  t.match(await run.compile.run(), { kind: 'finished', record: { host: 'red', sourceBytes: 7 } });
  t.strictSame(run.commits, [['x.d', 'x.o']]);
  t.strictSame(run.told, ['temporary', 'temporary', 'stdout out', 'stderr warning']);
  t.match(run.jobs, [{ outputs: [`${run.cwd}/x.o`, `${run.cwd}/x.d`], dependencyFile: 1 }]);
  t.match(run.asked, [['/usr/bin/gcc']], 'the compiler is part of the closure');
});

await t.test('a file that changed meanwhile: the result is dropped, and made again', async (t) => {
  const stale = { outputs: new Map([[0, Buffer.from('stale')]]) };
  const run = setUp(t, { results: [stale, {}], changed: [[ENTRY], []] });
  t.match(await run.compile.run(), { kind: 'finished' });
  t.equal(run.jobs.length, 2);
  t.equal(run.commits.length, 1);
  t.match(run.compile.history, { stale: 1, closureSize: 1 });
});

await t.test('one that always changes: in the end it is compiled here', async (t) => {
  const changed = Array.from({ length: 10 }, () => [ENTRY]);
  const run = setUp(t, { changed, results: [] });
  t.match(await run.compile.run(), { kind: 'local', reason: { fallback: 'closure-stale' } });
  t.equal(run.jobs.length, PUMP.staleTries);
  t.strictSame(leftovers(run.cwd), []);
});

await t.test('a compile that failed while its files changed is made again', async (t) => {
  const run = setUp(t, { results: [{ status: 1 }, {}], changed: [[ENTRY], []] });
  t.match(await run.compile.run(), { kind: 'finished' });
  t.match(run.compile.history, { stale: 1 });
});

await t.test('a file that is gone when a server wants it: the closure is made anew', async (t) => {
  const gone = new RemoteFailure('stale', 'red: missing: a.h');
  const run = setUp(t, { results: [gone, {}] });
  t.match(await run.compile.run(), { kind: 'finished' });
  t.equal(run.asked.length, 2);
  t.match(run.compile.history, { stale: 1 });
  const always = setUp(t, { results: [gone, gone, gone, gone] });
  t.match(await always.compile.run(), { kind: 'local', reason: { fallback: 'closure-stale' } });
  const lost = setUp(t, { results: [new RemoteFailure('lost', 'red: gone')] });
  await t.rejects(lost.compile.run(), { reason: 'server-lost', message: 'red: gone' });
});

await t.test('a file that the server missed is added, and all is tried again', async (t) => {
  const missing = Buffer.from(
    'x.c:1:10: fatal error: hole.h: No such file or directory\ncompilation terminated.\n',
  );
  const files = { 'hole.h': '' };
  const run = setUp(t, { files, results: [{ status: 1, stderr: missing }, {}] });
  t.match(await run.compile.run(), { kind: 'finished' });
  t.match(run.asked[1], ['/usr/bin/gcc', /hole\.h$/]);
  t.match(run.compile.history.healed, [/hole\.h$/]);
  t.strictSame(run.told, ['temporary'], 'nobody hears of the first try');
});

await t.test(
  'a file that is missed again though it was sent does not go on for ever',
  async (t) => {
    const stderr = Buffer.from('x.c:1:10: fatal error: hole.h: No such file or directory\n');
    const failed = { status: 1, stderr };
    const run = setUp(t, { files: { 'hole.h': '' }, results: [failed, failed, failed] });
    t.match(await run.compile.run(), { kind: 'local', reason: { fallback: 'compile-error' } });
    t.equal(run.jobs.length, 2);
  },
);

await t.test('a compile that fails is done here for its words', async (t) => {
  const stderr = Buffer.from('x.c:1:1: error: no\n');
  const run = setUp(t, { results: [{ status: 1, stderr, outputs: new Map() }] });
  t.match(await run.compile.run(), {
    kind: 'local',
    reason: { fallback: 'compile-error' },
    diagnostics: stderr,
    failed: { host: 'red', remote: new Map([['standard error', stderr]]) },
  });
  t.strictSame(run.told, []);
});

await t.test('what the compiler read must be what it was sent', async (t) => {
  const hole = { read: { entries: [], uncovered: ['/w/other.h'] } };
  t.match(await setUp(t, { results: [hole] }).compile.run(), {
    reason: { fallback: 'closure-hole' },
    detail: 'it read /w/other.h',
  });
  t.match(await setUp(t, { results: [{ read: undefined }] }).compile.run(), {
    reason: { fallback: 'closure-hole' },
    detail: 'red did not tell what the compiler read',
  });
});

await t.test('what depends on the time of the compile is done here', async (t) => {
  const clockWords = new Map([['/w', new Set<ClockWord>(['__DATE__'])]]);
  const reason = { fallback: 'date-time' };
  t.match(await setUp(t, { clockWords }).compile.run(), { kind: 'local', reason });
});

await t.test('a closure that cannot be told, or no server that seals: plain mode', async (t) => {
  const why = { reason: 'computed-include', detail: '/w/x.c: X' } as const;
  const closure = { kind: 'not-covered', why } as const;
  const verdict = { kind: 'demoted', ...why };
  t.strictSame(await setUp(t, { closure }).compile.run(), verdict);
  const obstacle = { kind: 'none', reason: 'no-sandbox', detail: 'not on red' } as const;
  t.strictSame(await setUp(t, { obstacle }).compile.run(), {
    kind: 'demoted',
    reason: 'no-sandbox',
    detail: 'not on red',
  });
  const none = { ...obstacle, reason: 'no-server' } as const;
  t.match(await setUp(t, { obstacle: none }).compile.run(), {
    kind: 'local',
    reason: { fallback: 'no-server' },
  });
});

await t.test('servers that turn out to have the compiler at other paths', async (t) => {
  const results = [fallback('server-refused', 'red: toolchain')];
  const obstacleLater = { kind: 'none', reason: 'other-paths', detail: 'on red' } as const;
  t.strictSame(await setUp(t, { results, obstacleLater }).compile.run(), {
    kind: 'demoted',
    reason: 'other-paths',
    detail: 'on red',
  });
  t.match(await setUp(t, { results }).compile.run(), {
    kind: 'local',
    reason: { fallback: 'server-refused' },
  });
});

await t.test('a precompiled header of unknown making keeps it here', async (t) => {
  const run = setUp(t, { precompiled: ['/p.h.gch'] });
  t.match(await run.compile.run(), { kind: 'local', reason: { decline: 'pch-present' } });
  t.equal(run.jobs.length, 0);
});

await t.test('a compiler elsewhere is told of the terminal here', async (t) => {
  const results = [{ stderr: Buffer.from('\x1b[01mwarning') }];
  const onTerminal = { results, stderrIsTerminal: true };
  const run = setUp(t, { ...onTerminal, terminal: [] });
  t.match(await run.compile.run(), { kind: 'finished' });
  t.match(run.jobs, [{ terminal: true, environment: [['COLUMNS', '77']] }]);
  const clang = setUp(t, { ...onTerminal, terminal: ['/terminfo/x/xterm'], family: 'clang' });
  t.match(await clang.compile.run(), { kind: 'finished' });
  t.match(clang.jobs, [{ terminal: true, environment: [] }], 'Clang goes by COLUMNS alone');
  t.strictSame(clang.compilerFiles, [['/usr/bin/gcc', '/terminfo/x/xterm']]);
  const piped = setUp(t, { results, terminal: [] });
  await piped.compile.run();
  t.match(piped.jobs, [{ terminal: false, environment: [] }]);
});

await t.test('where none can be told, words for a terminal are the local compiler’s', async (t) => {
  const results = [{ stderr: Buffer.from('warning') }];
  const run = setUp(t, { results, stderrIsTerminal: true });
  t.match(await run.compile.run(), { reason: { fallback: 'terminal-diagnostics' } });
  t.match(run.jobs, [{ terminal: false, environment: [] }]);
  t.strictSame(run.told, []);
  t.match(await setUp(t, { stderrIsTerminal: true }).compile.run(), { kind: 'finished' });
});

await t.test(
  'headers that are one file are for the compiler here, in no mode elsewhere',
  async (t) => {
    const why = { reason: 'hard-links', detail: '/w/b.h' } as const;
    const verdict = { kind: 'local', reason: { decline: 'hard-links' }, detail: '/w/b.h' };
    t.strictSame(await setUp(t, { closure: { kind: 'not-covered', why } }).compile.run(), verdict);
  },
);

await t.test('a success without the object is none', async (t) => {
  const run = setUp(t, { results: [{ outputs: new Map() }] });
  t.match(await run.compile.run(), { reason: { fallback: 'result-invalid' } });
  t.strictSame(run.commits, []);
});
