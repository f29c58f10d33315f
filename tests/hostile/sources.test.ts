/** Sources and paths of hostile clients: nothing that is only the server's is in any answer. */
import { statSync } from 'node:fs';
import t, { type Test } from 'tap';
import type { PumpJob } from '../../src/protocol/pump-messages.js';
import type { TreeEntry } from '../../src/protocol/tree-entry.js';
import { realToolchainDeps } from '../../src/toolchain/toolchain-host.js';
import { ToolchainProbe } from '../../src/toolchain/toolchain.js';
import { PumpClient, type PumpAnswer } from '../fixtures/pump-client.js';
import { TsccdProcess } from '../fixtures/tsccd-process.js';
import { WireClient } from '../fixtures/wire-client.js';
import { Scene, SECRET } from './scene.js';
import { BOMB_SOURCES, PATHS, SOURCES } from './source-vectors.js';

const scene = new Scene(t);
const store = `${scene.directory}/store`;
const words = ['--listen', '127.0.0.1:0', '--jobs', '2', '--store', store];
const tsccd = new TsccdProcess(t, words, { TSCC_HOSTILE: SECRET });
const port = await tsccd.port();
const [first] = await greeting();
const isPlainSealed = first.plainTier >= 2;
const isSealed = first.tier >= 3;

const gcc = await new ToolchainProbe(realToolchainDeps(() => undefined)).identify(
  '/usr/bin/gcc',
  '/usr/bin:/bin',
);
if (typeof gcc === 'string') throw new Error(`no gcc: ${gcc}`);

async function greeting() {
  const client = await WireClient.connect(port);
  const welcome = await client.greet();
  return [welcome, client.close()] as const;
}

/** Secrets of the server's host: no answer has one in it. */
const SECRETS = [SECRET, 'root:x:0:0', 'TSCC_HOSTILE'];

function assertHarmless(t: Test, name: string, ...texts: readonly string[]): void {
  for (const secret of SECRETS) {
    t.notOk(
      texts.some((text) => text.includes(secret)),
      name,
    );
  }
}

await t.test('there are enough of them', async (t) => {
  const filled = new Set(SOURCES.map((source) => scene.fill(source)));
  t.equal(filled.size, SOURCES.length, 'each once');
  t.ok(filled.size >= 100, String(filled.size));
});

await t.test('plain jobs', { skip: !isPlainSealed && 'no Landlock' }, async (t) => {
  const client = await WireClient.greeted(port);
  t.ok(await client.knows(gcc.digest, 'gcc', statSync('/usr/bin/gcc').size));
  for (const [index, vector] of SOURCES.entries()) {
    const source = scene.fill(vector);
    client.begin(gcc.digest, source, index % 3 === 0 ? { stage: 'assembly' } : {});
    const outcome = await client.outcome();
    if (outcome.kind === 'refused') {
      t.fail(`${source}: ${outcome.message}`);
      continue;
    }
    const { output, stdout, stderr } = outcome;
    assertHarmless(t, source, ...[output, stdout, stderr].map((text) => text.toString('latin1')));
  }
  t.strictSame(scene.traces(), []);
  client.close();
});

await t.test('bombs', { skip: !isPlainSealed && 'no Landlock' }, async (t) => {
  const client = await WireClient.greeted(port);
  for (const source of BOMB_SOURCES) {
    client.begin(gcc.digest, source);
    const outcome = await client.outcome();
    if (outcome.kind === 'answer') t.ok(outcome.output.length < 1 << 30, source.slice(0, 60));
    else t.ok(['limit', 'failed'].includes(outcome.code), source.slice(0, 60));
  }
  client.begin(gcc.digest, 'int x;\n');
  t.equal((await client.answer()).result.status, 0, 'others are served');
  client.close();
});

/** Fields of a job that are paths. */
const FIELDS: readonly ((path: string) => Partial<PumpJob>)[] = [
  (path) => ({ program: path }),
  (path) => ({ cwd: path }),
  (path) => ({ sourcePath: path }),
  (path) => ({ outputs: [path] }),
  (path) => ({ outputs: ['/tscc-test/w/x.o', path], dependencyFile: 1 }),
];

await t.test('paths of pump jobs', { skip: !isSealed && 'no sealed roots' }, async (t) => {
  const client = await PumpClient.greeted(port);
  // Takes whatever it can get at, by all names that the job has.
  const steal = `for f in ${scene.secret} /etc/passwd /proc/self/environ /proc/1/environ; do
    cat $f /.tscc/../..$f /dev/fd/../../..$f 2>/dev/null; done
  echo x >${scene.out}; ln -s ${scene.secret} x.o || echo x >x.o`;
  const closure = client.compiler(`(${steal}) 2>/dev/null; exit 0`);
  const seen: (PumpAnswer | undefined)[] = [];
  for (const path of PATHS.map((one) => scene.fill(one))) {
    for (const field of FIELDS) {
      const changes = field(path);
      const job = { ...changes };
      // These end the connection, as in the next test.
      if (path.length > 4_095 || path.includes('\0')) continue;
      client.job(closure, job);
      const outcome = await client.outcome();
      if (outcome.kind !== 'answer') continue;
      seen.push(outcome);
      const texts = [outcome.stdout, outcome.stderr, ...outcome.outputs.values()];
      assertHarmless(t, JSON.stringify(changes).slice(0, 100), ...texts);
    }
  }
  t.ok(seen.length > 0, 'some were run all the same');
  t.strictSame(scene.traces(), []);
  client.close();
});

/** Entries that lead out of the tree, or write through what leads out of it. */
function entries(path: string): TreeEntry[][] {
  const file = { kind: 'file', path, digest: DIGEST, size: 1, mtime: 1, mode: 0o644 } as const;
  return [
    [file],
    [{ kind: 'directory', path }],
    [{ kind: 'absent', path }],
    [{ kind: 'symlink', path, target: scene.secret }],
  ];
}

const DIGEST = gcc.digest;

await t.test('paths of a tree', { skip: !isSealed && 'no sealed roots' }, async (t) => {
  let refused = 0;
  for (const path of PATHS.map((one) => scene.fill(one))) {
    for (const list of entries(path)) {
      const client = await PumpClient.greeted(port);
      try {
        client.tell(...list);
        client.job(new Uint8Array(), { sourcePath: '/w/x.c', outputs: ['/w/x.o'] });
        await client.outcome();
      } catch {
        refused++;
      }
      client.close();
    }
  }
  t.ok(refused > 20, `${refused} connections were ended`);
  t.strictSame(scene.traces(), []);
});

await t.test('writing through links', { skip: !isSealed && 'no sealed roots' }, async (t) => {
  const targets = [scene.secret, `${scene.directory}/out`, '../../../../../../..'];
  for (const target of targets) {
    const client = await PumpClient.greeted(port);
    const closure = client.compiler('echo x >x.o; echo x >/tscc-test/w/link/file; exit 0');
    const [link = 0] = client.tell({ kind: 'symlink', path: '/tscc-test/w/link', target });
    client.job([...closure, link], {
      outputs: ['/tscc-test/w/link/file', '/tscc-test/w/link', '/tscc-test/w/x.o'],
    });
    const outcome = await client.outcome();
    if (outcome.kind === 'answer') {
      assertHarmless(t, target, outcome.stderr, ...outcome.outputs.values());
    } else {
      t.ok(outcome.message, `${target}: ${outcome.message}`);
    }
    client.job([...closure, link], { sourcePath: '/tscc-test/w/link/x.c' });
    const through = await client.outcome();
    t.ok(through.kind === 'refused' || through.kind === 'answer', target);
    client.close();
  }
  t.strictSame(scene.traces(), []);
});

await t.test('the server is in good health', async (t) => {
  tsccd.process.kill('SIGTERM');
  t.equal(await tsccd.exited, 0);
});
