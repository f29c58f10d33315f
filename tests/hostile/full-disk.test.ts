/** A client that fills the store's disk: its own jobs fail, with a word, and then there is room again. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, statSync } from 'node:fs';
import t, { type Test } from 'tap';
import { MiB } from '../../src/core/byte-units.js';
import { realToolchainDeps } from '../../src/toolchain/toolchain-host.js';
import { ToolchainProbe } from '../../src/toolchain/toolchain.js';
import { PumpClient } from '../fixtures/pump-client.js';
import { TsccdProcess } from '../fixtures/tsccd-process.js';
import { WireClient } from '../fixtures/wire-client.js';
import { Scene } from './scene.js';

const UNSHARE = ['unshare', ...(process.getuid?.() === 0 ? ['-m'] : ['-m', '--map-root-user'])];
const tried = spawnSync('/usr/bin/env', [...UNSHARE, 'mount', '-t', 'tmpfs', 'none', '/mnt']);
const skip = tried.status !== 0 && 'mounting is not permitted here';

/** Room for the canary and for small jobs. */
const DISK = 24 * MiB;

const scene = new Scene(t);
const store = `${scene.directory}/store`;
mkdirSync(store);

await t.test('a disk that a client fills', { skip }, async (t) => {
  const mount = `mount -t tmpfs -o size=${DISK} none '${store}' && exec "$0" "$@"`;
  const words = ['--listen', '127.0.0.1:0', '--jobs', '2', '--store', store, '--scratch', store];
  const tsccd = new TsccdProcess(t, words, {}, [...UNSHARE, 'sh', '-c', mount]);
  const port = await tsccd.port();
  const probe = new ToolchainProbe(realToolchainDeps(() => undefined));
  const gcc = await probe.identify('/usr/bin/gcc', '/usr/bin:/bin');
  if (typeof gcc === 'string') throw new Error(gcc);
  const client = await WireClient.connect(port);
  const { plainTier, tier } = await client.greet();
  const honest = await WireClient.greeted(port, 'honest');
  const size = statSync('/usr/bin/gcc').size;
  for (const one of [client, honest]) t.ok(await one.knows(gcc.digest, 'gcc', size));

  const serves = async (t: Test, what: string) => {
    honest.begin(gcc.digest, 'int x;\n');
    t.equal((await honest.answer()).result.status, 0, `then others are served: ${what}`);
  };
  await t.test('with sources', { skip: plainTier === 0 && 'no tier' }, async (t) => {
    const large = Buffer.concat([Buffer.from('int x; //'), Buffer.alloc(DISK, 'x')]);
    for (let i = 0; i < 3; i++) client.begin(gcc.digest, large, { sourceEncoding: 'none' });
    for (let i = 0; i < 3; i++) {
      t.match(await client.refusal(), {
        code: 'failed',
        message: /cannot store the source: ENOSPC/,
      });
    }
    await serves(t, 'sources');
  });
  await t.test('with outputs', { skip: plainTier === 0 && 'no tier' }, async (t) => {
    client.begin(gcc.digest, `char a[${2 * DISK}] = {1};\n`);
    const { result, output } = await client.answer();
    t.not(result.status, 0);
    t.equal(output.length, 0, 'no part of an object');
    await serves(t, 'outputs');
  });
  await t.test('with contents', { skip: tier < 3 && 'no sealed roots' }, async (t) => {
    const pump = await PumpClient.greeted(port, 'pump');
    const closure = pump.compiler('cat x.c >x.o');
    pump.job(closure);
    t.equal((await pump.answer()).outputs.get(0), 'int x;\n');
    const noise = randomBytes(DISK).toString('latin1');
    const [numbered] = pump.tell(pump.file('/tscc-test/w/noise', noise));
    pump.job([...closure, numbered ?? 0]);
    t.match(await pump.outcome(), { kind: 'refused', code: 'failed', message: /ENOSPC/ });
    await serves(t, 'contents');
    pump.job(closure);
    t.equal((await pump.answer()).outputs.get(0), 'int x;\n', 'the client itself too');
    pump.close();
  });
  client.close();
  honest.close();
  tsccd.process.kill('SIGTERM');
  t.equal(await tsccd.exited, 0);
});
