/**
 * Pump mode in tier 2: hostile sources, trees and compilers where a supervisor stands in for
 * namespaces. No program or library of the client's runs, and nothing of the server's is in an answer.
 */
import { realpathSync, statSync } from 'node:fs';
import t, { type Test } from 'tap';
import type { PumpJob } from '../../src/protocol/pump-messages.js';
import { realToolchainDeps } from '../../src/toolchain/toolchain-host.js';
import { ToolchainProbe } from '../../src/toolchain/toolchain.js';
import { PumpClient } from '../fixtures/pump-client.js';
import { TsccdProcess } from '../fixtures/tsccd-process.js';
import { NO_NAMESPACES_TO_TAKE, WITHOUT_NAMESPACES } from '../fixtures/without-namespaces.js';
import { WireClient } from '../fixtures/wire-client.js';
import { Scene, SECRET } from './scene.js';
import { PATHS, SOURCES } from './source-vectors.js';

if (NO_NAMESPACES_TO_TAKE !== false) {
  t.plan(0, NO_NAMESPACES_TO_TAKE);
  process.exit();
}

const scene = new Scene(t);
const words = ['--listen', '127.0.0.1:0', '--jobs', '2', '--store', `${scene.directory}/store`];
const tsccd = new TsccdProcess(t, words, { TSCC_HOSTILE: SECRET }, WITHOUT_NAMESPACES);
const port = await tsccd.port();
const probe = new ToolchainProbe(realToolchainDeps(() => undefined));
const gcc = await probe.identify('/usr/bin/gcc', '/usr/bin:/bin');
if (typeof gcc === 'string') throw new Error(`no gcc: ${gcc}`);

/** Secrets of the server's host: no answer has one in it. */
const SECRETS = [SECRET, 'root:x:0:0', 'TSCC_HOSTILE'];

const GCC: Partial<PumpJob> = {
  program: '/usr/bin/gcc',
  argv0: '/usr/bin/gcc',
  output: 'x.o',
  environment: [['PATH', '/usr/bin:/bin']],
};

/** A client whose compiler is the server's own, and that one's files. */
async function withGcc() {
  const client = await PumpClient.greeted(port);
  if (typeof gcc === 'string') throw new Error(gcc);
  if (!(await client.wire.knows(gcc.digest, 'gcc', statSync('/usr/bin/gcc').size))) {
    throw new Error('the server does not know its own gcc');
  }
  const files = client.files(gcc.files);
  // Without any directory to search, gcc complains of that.
  const [includes = 0] = client.tell({ kind: 'directory', path: '/usr/include' });
  files.set('/usr/include', includes);
  return { client, files, closure: [...files.values()] };
}

/** Its exit status; undefined when it is refused. */
async function harmless(t: Test, client: PumpClient, name: string): Promise<number | undefined> {
  const outcome = await client.outcome();
  if (outcome.kind === 'refused') {
    t.notOk(
      SECRETS.some((secret) => outcome.message.includes(secret)),
      name,
    );
    return undefined;
  }
  const texts = [outcome.stdout, outcome.stderr, ...outcome.outputs.values()];
  for (const secret of SECRETS) {
    t.notOk(
      texts.some((text) => text.includes(secret)),
      name,
    );
  }
  return outcome.result.status;
}

await t.test('it says what it offers', async (t) => {
  const client = await WireClient.connect(port);
  t.match(await client.greet(), { tier: 2, plainTier: 2, features: ['pump-own-compilers'] });
  client.close();
});

await t.test('sources', async (t) => {
  const { client, closure } = await withGcc();
  const statuses: (number | undefined)[] = [];
  for (const [index, vector] of SOURCES.entries()) {
    const source = scene.fill(vector);
    const stage = index % 3 === 0 ? 'assembly' : 'object';
    client.job(closure, { ...GCC, stage }, source);
    statuses.push(await harmless(t, client, source));
  }
  t.notOk(statuses.includes(undefined), 'all were compiled');
  t.ok(statuses.filter((status) => status === 0).length > 5, 'some made an object');
  t.strictSame(scene.traces(), []);
  client.close();
});

await t.test('what is there on the server only is not there', async (t) => {
  const { client, closure } = await withGcc();
  const files = ['/etc/passwd', '/proc/self/status', '/tmp', '/usr/include/stdio.h', scene.secret];
  const source = files
    .map((file) => `#if __has_include("${file}")\n#error it has ${file}\n#endif\n`)
    .join('');
  client.job(closure, GCC, `${source}int x;\n`);
  const { result, stderr } = await client.answer();
  t.equal(result.status, 0, stderr);
  client.close();
});

await t.test('paths', async (t) => {
  const { client, closure } = await withGcc();
  for (const path of PATHS.map((one) => scene.fill(one))) {
    if (path.length > 4_095 || path.includes('\0')) continue;
    for (const changes of [
      { program: path },
      { cwd: path },
      { sourcePath: path },
      { outputs: [path] },
    ]) {
      client.job(closure, { ...GCC, ...changes });
      await harmless(t, client, JSON.stringify(changes).slice(0, 100));
    }
  }
  t.strictSame(scene.traces(), []);
  client.close();
});

await t.test('links that lead out', async (t) => {
  for (const target of [scene.secret, '/etc/passwd', '../../../../../../../etc/passwd']) {
    const { client, closure } = await withGcc();
    const [link = 0] = client.tell({ kind: 'symlink', path: '/tscc-test/w/link', target });
    client.job([...closure, link], GCC, '__asm__(".incbin \\"link\\"");\n');
    t.equal(await harmless(t, client, target), 1, target);
    // As an output: what is there is a link, and no file that it could be.
    client.job([...closure, link], { ...GCC, output: 'link', outputs: ['/tscc-test/w/link'] });
    await harmless(t, client, target);
    client.close();
  }
  t.strictSame(scene.traces(), []);
});

await t.test('a compiler of the client’s own', async (t) => {
  const client = await PumpClient.greeted(port);
  const closure = client.compiler(`echo ran; echo x >${scene.out}`);
  client.job(closure);
  t.match(await client.outcome(), { kind: 'refused', code: 'toolchain' });
  client.close();
});

await t.test('programs and libraries of the client’s own beside an honest compiler', async (t) => {
  const code = '\x7fELF\x02\x01\x01'.padEnd(16, '\0') + '\x03\0'.padEnd(1000, '\0');
  const { client, closure } = await withGcc();
  const [list = 0, library = 0, script = 0] = client.tell(
    client.file('/etc/ld.so.preload', '/tscc-test/evil.so\n'),
    client.file('/tscc-test/evil.so', code, { mode: 0o755 }),
    client.file('/tscc-test/w/as', `#!/bin/sh\necho x >${scene.out}\n`, { mode: 0o755 }),
  );
  client.job([...closure, list, library], GCC);
  t.match(await client.outcome(), {
    kind: 'refused',
    message: /keep the client's own programs and libraries out/,
  });
  client.job([...closure, script], { ...GCC, program: '/tscc-test/w/as' });
  t.match(await client.outcome(), {
    kind: 'refused',
    message: /start a program that this host does not have/,
  });
  client.close();
  t.strictSame(scene.traces(), []);
});

await t.test('a compiler of which one file is another', async (t) => {
  const { client, files } = await withGcc();
  const as = realpathSync('/usr/bin/as');
  const [other = 0] = client.tell(client.file(as, 'other', { mode: 0o755 }));
  client.job([...files.set(as, other).values()], GCC);
  t.match(await client.outcome(), { kind: 'refused', code: 'toolchain' });
  client.close();
});

await t.test('the server is in good health', async (t) => {
  const { client, closure } = await withGcc();
  client.job(closure, GCC);
  t.equal((await client.answer()).result.status, 0);
  client.close();
  tsccd.process.kill('SIGTERM');
  t.equal(await tsccd.exited, 0);
});
