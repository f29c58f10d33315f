/**
 * Tier 1: a server that root runs where there is neither Landlock nor a namespace. What is closed to
 * others is closed to a job; what everybody may read, it may read.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { realToolchainDeps } from '../../src/toolchain/toolchain-host.js';
import { ToolchainProbe } from '../../src/toolchain/toolchain.js';
import { buildBareHost, CANNOT_BE_BARE } from '../fixtures/bare-host.js';
import { without } from '../fixtures/tools.js';
import { TsccdProcess } from '../fixtures/tsccd-process.js';
import { WireClient } from '../fixtures/wire-client.js';
import { Scene, SECRET } from './scene.js';
import { SOURCES } from './source-vectors.js';

await t.test('jobs with users of their own', { skip: CANNOT_BE_BARE }, async (t) => {
  const scene = new Scene(t);
  const store = `${scene.directory}/store`;
  const words = ['--listen', '127.0.0.1:0', '--jobs', '2', '--store', store];
  const tsccd = new TsccdProcess(t, words, { TSCC_HOSTILE: SECRET }, [buildBareHost(t)]);
  const client = await WireClient.connect(await tsccd.port());
  t.match(await client.greet(), { tier: 1, plainTier: 1 });
  const probe = new ToolchainProbe(realToolchainDeps(() => undefined));
  const gcc = await probe.identify('/usr/bin/gcc', '/usr/bin:/bin');
  if (typeof gcc === 'string') throw new Error(gcc);
  t.ok(await client.knows(gcc.digest, 'gcc', statSync('/usr/bin/gcc').size));

  const directory = t.testdir({ 'unit.c': '#include <stdio.h>\nint main(void) { puts("x"); }\n' });
  const here = (...args: string[]) => execFileSync('/usr/bin/gcc', args, { cwd: directory });
  const source = here('-E', '-g', 'unit.c');
  here('-g', '-O2', '-c', '-o', 'x.o', '-x', 'cpp-output', ...preprocessed(directory, source));
  client.begin(gcc.digest, source, {
    options: [
      ['-g', null],
      ['-O', '2'],
    ],
  });
  const honest = await client.answer();
  t.ok(honest.output.equals(readFileSync(`${directory}/x.o`)), 'the object is the one made here');

  let answered = 0;
  for (const [index, vector] of SOURCES.entries()) {
    const hostile = scene.fill(vector);
    client.begin(gcc.digest, hostile, index % 3 === 0 ? { stage: 'assembly' } : {});
    const outcome = await client.outcome();
    if (outcome.kind === 'refused') {
      t.fail(`${hostile}: ${outcome.message}`);
      continue;
    }
    answered++;
    for (const text of [outcome.output, outcome.stdout, outcome.stderr]) {
      t.notOk(text.includes(SECRET), hostile);
    }
  }
  t.equal(answered, SOURCES.length);
  t.strictSame(scene.traces(), []);
  client.close();
  tsccd.process.kill('SIGTERM');
  t.equal(await tsccd.exited, 0);
});

await t.test(
  'root without its privileges has no tier, and does not serve',
  {
    skip: CANNOT_BE_BARE || without('setpriv'),
  },
  async (t) => {
    const scene = new Scene(t);
    const words = ['--listen', '127.0.0.1:0', '--store', `${scene.directory}/store`];
    const before = [buildBareHost(t), 'setpriv', '--bounding-set=-setuid'];
    const [status, said] = await new TsccdProcess(t, words, {}, before).failure();
    t.equal(status, 100);
    t.match(
      said,
      /^tsccd: compilers cannot be sealed off .*users of their own.*--unsafe-no-sandbox/m,
    );
    t.strictSame(readdirSync(`${scene.directory}/store/jobs`), [], 'nothing is left');
  },
);

/** The words for a preprocessed source that was made here. */
function preprocessed(directory: string, source: Uint8Array): string[] {
  writeFileSync(`${directory}/source.i`, source);
  return ['source.i'];
}
