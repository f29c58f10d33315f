import { symlinkSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { digestOf, type Digest } from '../../src/core/digest.js';
import { HostPrograms } from '../../src/server/host-programs.js';
import type { KnownCompiler } from '../../src/server/toolchains.js';

const ELF = (text: string) => `\x7fELF${text}`;

/** A compiler of two programs, one by a link, with a file that is none and one that is not there. */
function setUp(t: Test) {
  const root = t.testdir({ cc: ELF('cc'), as: ELF('as'), specs: 'text' });
  symlinkSync('as', `${root}/link`);
  const files = ['cc', 'link', 'specs', 'none'].map((name) => `${root}/${name}`);
  const known: KnownCompiler = { digest: digestOf('compiler'), compiler: `${root}/cc`, files };
  let compilers: readonly KnownCompiler[] = [known];
  const programs = new HostPrograms({ allCurrent: async () => compilers });
  const closure = new Map<string, Digest>([
    [`${root}/cc`, digestOf(ELF('cc'))],
    [`${root}/as`, digestOf(ELF('as'))],
  ]);
  const ask = () => programs.programsOf({ digestAt: (path) => closure.get(path) });
  const change = (...now: readonly KnownCompiler[]) => (compilers = now);
  return { root, known, closure, ask, change };
}

const refused = { name: 'JobRefused', code: 'toolchain' };

await t.test('a compiler that both have, by the real paths of what runs', async (t) => {
  const { root, ask } = setUp(t);
  t.strictSame(await ask(), [`${root}/cc`, `${root}/as`]);
});

await t.test('one file that is another, or elsewhere, and it is no such compiler', async (t) => {
  const { root, closure, ask } = setUp(t);
  closure.set(`${root}/as`, digestOf('another'));
  await t.rejects(ask(), refused);
  closure.delete(`${root}/as`);
  closure.set(`${root}/link`, digestOf(ELF('as')));
  await t.rejects(ask(), refused);
});

await t.test('several, of which a client has some', async (t) => {
  const { root, known, ask, change } = setUp(t);
  writeFileSync(`${root}/clang`, ELF('clang'));
  const clang = { ...known, digest: digestOf('clang'), files: [`${root}/clang`] };
  change(clang, known);
  t.strictSame(await ask(), [`${root}/cc`, `${root}/as`]);
  change(clang);
  await t.rejects(ask(), refused);
});

await t.test('a compiler that has changed is looked at again', async (t) => {
  const { root, known, closure, ask, change } = setUp(t);
  await ask();
  writeFileSync(`${root}/cc`, ELF('cc of another size'));
  change({ ...known });
  await t.rejects(ask(), refused);
  closure.set(`${root}/cc`, digestOf(ELF('cc of another size')));
  t.strictSame(await ask(), [`${root}/cc`, `${root}/as`]);
});
