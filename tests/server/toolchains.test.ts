import { chmodSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { digestOf, type Digest } from '../../src/core/digest.js';
import { Toolchains, type CompilerProbe } from '../../src/server/toolchains.js';
import { realToolchainDeps } from '../../src/toolchain/toolchain-host.js';
import { ToolchainProbe } from '../../src/toolchain/toolchain.js';
import { FakeCompiler } from '../fixtures/fake-compiler.js';

interface Known {
  readonly digest: Digest;
  readonly compiler: string;
  readonly files: readonly string[];
}

/** Says of each compiler what the test told it. */
class ScriptedProbe implements CompilerProbe<Known> {
  readonly identities = new Map<string, string>();
  readonly asked: string[] = [];
  readonly stale = new Set<Known>();

  async identify(compiler: string): Promise<Known | string> {
    this.asked.push(compiler);
    const identity = this.identities.get(compiler);
    if (identity === undefined) return 'compiler-unknown';
    return { digest: digestOf(identity), compiler, files: [] };
  }

  isCurrent(known: Known): boolean {
    return !this.stale.has(known);
  }
}

/** Content of all compilers here: they are of one size, unless a test says otherwise. */
const DRIVER = 'driver';

/** A compiler as a client wants it. */
const wanted = (identity: string, name: string, driverBytes = DRIVER.length) => ({
  digest: digestOf(identity),
  name,
  driverBytes,
});

function setUp(t: Test, files: { readonly [directory: string]: readonly string[] }) {
  const root = t.testdir(
    Object.fromEntries(
      Object.entries(files).map(([directory, names]) => [
        directory,
        Object.fromEntries(names.map((name) => [name, DRIVER])),
      ]),
    ),
  );
  const probe = new ScriptedProbe();
  const log: string[] = [];
  const path = Object.keys(files).map((directory) => `${root}/${directory}`);
  const toolchains = new Toolchains(probe, path.join(':'), (line) => log.push(line));
  return { root, probe, log, toolchains };
}

await t.test('all that were found, as they are now', async (t) => {
  const { root, probe, toolchains } = setUp(t, { bin: ['cc', 'gcc'] });
  t.strictSame(await toolchains.allCurrent(), []);
  for (const name of ['cc', 'gcc']) {
    probe.identities.set(`${root}/bin/${name}`, name);
    await toolchains.find(wanted(name, name));
  }
  const found = async () =>
    (await toolchains.allCurrent()).map(({ compiler }) => compiler).toSorted();
  t.strictSame(await found(), [`${root}/bin/cc`, `${root}/bin/gcc`]);
  for (const known of await toolchains.allCurrent()) probe.stale.add(known);
  probe.identities.set(`${root}/bin/cc`, 'another');
  t.strictSame(await found(), [`${root}/bin/gcc`], 'the other is no longer what it was');
});

await t.test('a compiler is found by the name that is asked for first', async (t) => {
  const { root, probe, toolchains } = setUp(t, { bin: ['cc', 'gcc', 'gcc-12'] });
  probe.identities.set(`${root}/bin/gcc-12`, 'twelve');
  t.equal(await toolchains.find(wanted('twelve', 'gcc-12')), `${root}/bin/gcc-12`);
  t.same(probe.asked, [`${root}/bin/gcc-12`]);
});

await t.test('a compiler is found by its identity whatever its name', async (t) => {
  const { root, probe, toolchains } = setUp(t, { local: ['gcc'], bin: ['gcc', 'clang++-14'] });
  probe.identities.set(`${root}/local/gcc`, 'new').set(`${root}/bin/gcc`, 'old');
  t.equal(await toolchains.find(wanted('old', 'gcc')), `${root}/bin/gcc`);
  t.equal(await toolchains.find(wanted('old', 'x86_64-linux-gnu-gcc')), `${root}/bin/gcc`);
  t.equal(await toolchains.find(wanted('none', 'gcc')), undefined);
});

await t.test('only what is called like a compiler is ever looked at', async (t) => {
  const names = ['arm-linux-gnueabihf-g++-12', 'c++', 'clang-14', 'x.y_z-cc'];
  const others = ['gcc-ar', 'gcc.sh', 'rm', 'tcc', 'gcc-12-wrapper', 'clang-format', 'sh'];
  const { root, probe, toolchains } = setUp(t, { bin: [...names, ...others] });
  await toolchains.find(wanted('none', '../../bin/rm'));
  t.same(probe.asked, names.map((name) => `${root}/bin/${name}`).toSorted());
});

await t.test('a compiler of another size is not looked into', async (t) => {
  const { root, probe, toolchains } = setUp(t, { bin: ['cc', 'gcc', 'gcc-12'] });
  writeFileSync(`${root}/bin/gcc`, 'a longer driver');
  symlinkSync('gcc', `${root}/bin/x-gcc`);
  const bytes = 'a longer driver'.length;
  t.equal(await toolchains.find(wanted('none', 'cc', 1)), undefined);
  t.same(probe.asked, [], 'it cannot be there');
  probe.identities.set(`${root}/bin/x-gcc`, 'longer');
  t.equal(await toolchains.find(wanted('longer', 'x-gcc', bytes)), `${root}/bin/x-gcc`);
  t.same(probe.asked, [`${root}/bin/x-gcc`], 'the size of a link is that of its file');
});

await t.test('a server that cannot look now does not say that it lacks a compiler', async (t) => {
  const { root, probe, toolchains } = setUp(t, { bin: ['gcc'] });
  const { identify } = probe;
  probe.identify = async () => 'host-shortage';
  await t.rejects(toolchains.find(wanted('this', 'gcc')), /no process, open file or memory/);
  probe.identify = identify;
  probe.identities.set(`${root}/bin/gcc`, 'this');
  t.equal(await toolchains.find(wanted('this', 'gcc')), `${root}/bin/gcc`);
});

await t.test('links to wrappers are passed over', async (t) => {
  const { root, probe, toolchains } = setUp(t, { wrappers: ['ccache'], bin: ['gcc'] });
  symlinkSync('ccache', `${root}/wrappers/gcc`);
  symlinkSync('missing', `${root}/wrappers/cc`);
  probe.identities.set(`${root}/bin/gcc`, 'real');
  t.equal(await toolchains.find(wanted('real', 'gcc')), `${root}/bin/gcc`);
  t.same(probe.asked, [`${root}/bin/gcc`]);
});

await t.test('a compiler is identified once, under all its names', async (t) => {
  const { root, probe, toolchains } = setUp(t, { bin: ['gcc-12'] });
  symlinkSync('gcc-12', `${root}/bin/gcc`);
  symlinkSync('gcc-12', `${root}/bin/x86_64-linux-gnu-gcc`);
  probe.identities.set(`${root}/bin/gcc`, 'one');
  await Promise.all(Array.from({ length: 5 }, () => toolchains.find(wanted('one', 'gcc'))));
  await toolchains.find(wanted('none', 'gcc-12'));
  t.same(probe.asked, [`${root}/bin/gcc`]);
});

await t.test('a compiler that has changed is not the same', async (t) => {
  const { root, probe, toolchains } = setUp(t, { bin: ['gcc'] });
  probe.identities.set(`${root}/bin/gcc`, 'before');
  const before = digestOf('before');
  t.equal(await toolchains.current(before), undefined, 'not asked for yet');
  await toolchains.find(wanted('before', 'gcc'));
  t.match(await toolchains.current(before), { compiler: `${root}/bin/gcc` });
  probe.isCurrent = () => false;
  probe.identities.set(`${root}/bin/gcc`, 'after');
  t.equal(await toolchains.current(before), undefined);
  t.equal(await toolchains.find(wanted('before', 'gcc')), undefined);
  t.equal(await toolchains.find(wanted('after', 'gcc')), `${root}/bin/gcc`);
});

await t.test('a compiler whose files were only touched is the same', async (t) => {
  const { root, probe, toolchains } = setUp(t, { bin: ['gcc'] });
  probe.identities.set(`${root}/bin/gcc`, 'same');
  await toolchains.find(wanted('same', 'gcc'));
  const digest = digestOf('same');
  const known = await toolchains.current(digest);
  if (known === undefined) throw new Error('it was found');
  probe.stale.add(known);
  const answers = await Promise.all([1, 2, 3].map(() => toolchains.current(digest)));
  for (const answer of answers) t.match(answer, { digest, compiler: `${root}/bin/gcc` });
  probe.identities.delete(`${root}/bin/gcc`);
  probe.isCurrent = () => false;
  t.equal(await toolchains.current(digest), undefined, 'one that is none any more');
});

await t.test('a directory that cannot be listed is told, a missing one is not', async (t) => {
  const root = t.testdir({ file: '' });
  const log: string[] = [];
  const path = `${root}/none:${root}/file:relative:`;
  const toolchains = new Toolchains(new ScriptedProbe(), path, (line) => log.push(line));
  t.equal(await toolchains.find(wanted('x', 'gcc')), undefined);
  t.match(log, [/cannot look for compilers in .*file/]);
});

await t.test('with real identities', async (t) => {
  const fake = FakeCompiler.build(['gcc', 'cc'], 'this one');
  t.teardown(() => fake.close());
  const path = `${fake.directory}:/usr/bin`;
  const probe = new ToolchainProbe(realToolchainDeps(() => undefined));
  const toolchains = new Toolchains(probe, path, () => undefined);
  const own = await probe.identify(fake.path(), path);
  const gcc = await probe.identify('/usr/bin/gcc', path);
  if (typeof own === 'string' || typeof gcc === 'string') throw new Error('no identity');
  t.not(own.digest, gcc.digest);
  t.equal(await toolchains.find({ ...own, name: 'cc' }), fake.path('cc'));
  t.equal(await toolchains.find(gcc), '/usr/bin/gcc');
  unlinkSync(fake.path());
  writeFileSync(fake.path(), '#!/bin/sh\n');
  chmodSync(fake.path(), 0o755);
  t.equal(await toolchains.current(own.digest), undefined);
  t.equal(await toolchains.find({ ...own, name: 'cc' }), undefined);
});
