/** What comparing comes to, with launcher and compiler played by the test. */
import { existsSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { BuildMessages } from '../../src/client/build-messages.js';
import { Session } from '../../src/client/sessions.js';
import { readSettings } from '../../src/client/settings.js';
import { Verification, type RemoteProducts } from '../../src/client/verification.js';
import { LAUNCHER } from '../../src/core/limits.js';
import { realFiles } from '../../src/platform/files.js';
import { Journal } from '../../src/report/journal.js';
import type { CompileProducts } from '../../src/toolchain/output-difference.js';
import {
  FakeLauncher,
  readDone,
  readFail,
  readPreprocess,
  runRequest,
  WORLD,
} from '../fixtures/fake-launcher.js';
import { ManualClock } from '../fixtures/manual-clock.js';
import { MemoryJournals } from '../fixtures/memory-journals.js';

/** What the compiler here does, each time that it runs. */
interface LocalRun {
  readonly object?: string;
  readonly stderr?: string;
  readonly status?: number;
}

interface Options {
  readonly remote?: Partial<RemoteProducts>;
  readonly fails?: boolean;
  readonly keep?: () => Promise<string | undefined>;
}

function setUp(t: Test, options: Options = {}) {
  const cwd = t.testdir({ 'x.su': 'old' });
  const path = `${cwd}/x.o`;
  const clock = new ManualClock();
  const launcher = new FakeLauncher(clock);
  const session = new Session(
    new Journal('/s', 'day', new MemoryJournals(), clock, () => {}),
    false,
  );
  const request = runRequest({ cwd });
  const settings = readSettings(new Map());
  const context = { files: realFiles, clock, world: WORLD };
  const messages = new BuildMessages(launcher.connection, request, settings, session, context);
  const kept: [CompileProducts, CompileProducts][] = [];
  let names = 0;
  let slots = 0;
  const verification = new Verification(
    request,
    'x.c',
    'day',
    options.fails ?? false,
    launcher.connection,
    messages,
    () => {
      slots++;
      return Promise.resolve({ release: () => slots-- });
    },
    {
      files: realFiles,
      sourceStem: `${cwd}/.source-`,
      unique: () => String(++names),
      mismatches: {
        keep(_command, { remote, local }) {
          kept.push([remote, local]);
          return options.keep?.() ?? Promise.resolve('/s/mismatches/one');
        },
      },
    },
  );
  let results = 0;
  const verified = verification.run(
    {
      host: 'red',
      outputs: [{ name: 'x.o', path, bytes: Buffer.from('object') }],
      stdout: new Uint8Array(),
      stderr: new Uint8Array(),
      inputsChanged: () => Promise.resolve(false),
      ...options.remote,
    },
    () => results++,
  );
  return {
    launcher,
    verified,
    kept,
    path,
    slots: () => slots,
    results: () => results,
    async compile({ object, stderr = '', status = 0 }: LocalRun) {
      const { into, argv, temporaries } = readPreprocess(await launcher.expect('preprocess'));
      t.strictSame([argv, temporaries], [['gcc', '-c', 'x.c'], []], 'the very command');
      t.equal(slots, 1);
      writeFileSync(into, '');
      if (object !== undefined) writeFileSync(path, object);
      launcher.preprocessed(status, stderr.length, stderr);
    },
    async done(status = 0) {
      const done = readDone(await launcher.expect('done'));
      t.strictSame(done, { status, from: [], to: [] }, 'nothing is renamed');
      launcher.committed();
      return verified;
    },
  };
}

await t.test('the same', async (t) => {
  const run = setUp(t, { remote: { stderr: Buffer.from('warning\n') } });
  await run.compile({ object: 'object', stderr: 'warning\n' });
  t.equal((await run.launcher.expect('stderr')).toString(), 'warning\n');
  t.strictSame(await run.done(), { verdict: 'same', differences: [], isLocal: true });
  t.equal(run.results(), 1);
  t.equal(run.slots(), 0);
  t.strictSame(realFiles.newestFirst(run.path.replace('/x.o', '')), ['x.o', 'x.su']);
});

await t.test('other words, and another exit status', async (t) => {
  const run = setUp(t);
  for (const _ of [1, 2]) await run.compile({ stderr: 'x.c: error\n', status: 1 });
  t.match((await run.launcher.expect('stderr')).toString(), /^tscc: MISMATCH: x\.c: red made/);
  t.equal((await run.launcher.expect('stderr')).toString(), 'x.c: error\n');
  t.match(await run.done(1), {
    verdict: 'mismatch',
    differences: [
      'exit status 0 on the server, 1 here',
      'standard error at line 1: the end on the server, "x.c: error" here',
      'x.o is there on the server only',
    ],
    kept: '/s/mismatches/one',
  });
});

await t.test('a file from an earlier compile is not taken for one of this', async (t) => {
  const run = setUp(t, {
    remote: { outputs: [{ name: 'x.su', path: `${t.testdirName}/x.su`, bytes: undefined }] },
  });
  await run.compile({});
  t.match(await run.done(), { verdict: 'same' });
});

await t.test('inputs that changed, and compiles that differ by themselves', async (t) => {
  const changed = setUp(t, { remote: { inputsChanged: () => Promise.resolve(true) } });
  await changed.compile({ object: 'newer' });
  t.match(await changed.done(), { verdict: 'inputs-changed' });
  t.strictSame(changed.kept, []);

  const random = setUp(t);
  await random.compile({ object: 'one' });
  await random.compile({ object: 'another' });
  t.match(await random.done(), { verdict: 'not-reproducible', isLocal: true });
  t.strictSame(random.kept, []);
});

await t.test('a mismatch is kept and told, and an error where that is wanted', async (t) => {
  for (const fails of [false, true]) {
    const run = setUp(t, { fails, keep: () => Promise.resolve(undefined) });
    for (const _ of [1, 2]) await run.compile({ object: 'local' });
    const line = (await run.launcher.expect('stderr')).toString();
    t.match(line, /x\.o at line 1: "object" on the server, "local" here; .* neither could be kept/);
    if (fails) {
      const { status, message } = readFail(await run.launcher.expect('fail'));
      t.equal(status, 100);
      t.match(message, /^verify-mismatch: x\.c: x\.o at line 1/);
      t.match(await run.verified, { hasFailed: true });
    } else t.match(await run.done(), { verdict: 'mismatch', isLocal: true });
    t.equal(existsSync(run.path), !fails);
    const [products] = run.kept;
    t.equal(String(products?.[0].get('x.o')), 'object');
    t.equal(String(products?.[1].get('x.o')), 'local');
    t.equal(run.results(), 0, 'it is not the result of another host');
  }
});

await t.test('what is too large is left to the server', async (t) => {
  const run = setUp(t, { remote: { stderr: new Uint8Array(LAUNCHER.frameBytes + 1) } });
  t.strictSame(await run.verified, { verdict: 'too-large', differences: [], isLocal: false });
});
