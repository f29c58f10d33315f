import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { digestOf } from '../../src/core/digest.js';
import { LocaleFiles } from '../../src/toolchain/locale-files.js';
import type { Toolchain } from '../../src/toolchain/toolchain.js';
import { scratchDirectory } from '../fixtures/commands.js';
import { without } from '../fixtures/tools.js';

const TOOLCHAIN: Toolchain = {
  digest: digestOf('gcc'),
  family: 'gcc',
  version: '12.2.0',
  target: 'x86_64-linux-gnu',
  compiler: '/opt/gcc/bin/gcc',
  name: 'gcc',
  driverBytes: 1,
  files: ['/lib/x86_64-linux-gnu/libc.so.6'],
};

/** Looks for files among some, and counts how often. */
function machine(...present: readonly string[]) {
  const files = new Set(present);
  let looks = 0;
  const locales = new LocaleFiles({
    stamp: (file) => {
      looks++;
      return files.has(file) ? 'there' : undefined;
    },
    directoryStamp: (directory) =>
      [...files].filter((file) => file.startsWith(`${directory}/`)).join(),
  });
  const of = (...pairs: [string, string][]) => locales.of(TOOLCHAIN, new Map(pairs));
  return { files, of, looks: () => looks };
}

await t.test('C and POSIX need no file', async (t) => {
  const { of, looks } = machine('/usr/lib/locale/locale-archive');
  t.strictSame(of(), []);
  t.strictSame(of(['LANG', 'C'], ['LC_ALL', 'POSIX'], ['LANGUAGE', 'de'], ['LC_TIME', '']), []);
  t.strictSame(of(['TERM', 'xterm']), []);
  t.equal(looks(), 0);
});

await t.test('the locale, its catalogues, and those of less exact names', async (t) => {
  const present = [
    '/usr/lib/locale/locale-archive',
    '/usr/lib/x86_64-linux-gnu/gconv/gconv-modules.cache',
    '/usr/lib/locale/de_DE.utf8/LC_CTYPE',
    '/usr/share/locale/de/LC_MESSAGES/gcc-12.mo',
    '/usr/share/locale-langpack/fr/LC_MESSAGES/libc.mo',
    '/opt/gcc/share/locale/de/LC_MESSAGES/cpplib.mo',
  ];
  const { of } = machine(...present, '/usr/share/locale/it/LC_MESSAGES/gcc-12.mo');
  t.strictSame([...of(['LANG', 'de_DE.UTF-8@euro'], ['LANGUAGE', 'fr_FR:en'])], present);
});

await t.test('looked for once, until one comes or goes', async (t) => {
  const { files, of, looks } = machine('/usr/lib/locale/de/LC_CTYPE');
  t.strictSame(of(['LANG', 'de']), ['/usr/lib/locale/de/LC_CTYPE']);
  const first = looks();
  of(['LANG', 'de']);
  t.ok(looks() - first < 2 * first);
  const again = looks();
  of(['LANG', 'de']);
  t.equal(looks() - again, 1, 'only the one that is there');
  files.add('/usr/share/locale/de/LC_MESSAGES/gcc.mo');
  t.equal(of(['LANG', 'de']).length, 2);
  files.delete('/usr/lib/locale/de/LC_CTYPE');
  t.equal(of(['LANG', 'de']).length, 1);
});

await t.test('all that gcc opens for C.UTF-8 is listed', { skip: without('strace') }, async (t) => {
  const cwd = scratchDirectory();
  writeFileSync(join(cwd, 'x.c'), 'int f(void) { return missing; }\n');
  const env = { PATH: process.env.PATH, LC_ALL: 'C.UTF-8' };
  const words = ['-f', '-e', 'trace=openat,open', 'gcc', '-c', 'x.c'];
  const { stderr } = spawnSync('strace', words, { cwd, env });
  const opened = [...stderr.toString().matchAll(/open(?:at)?\([^"]*"([^"]+)"[^=]*= [0-9]/g)]
    .map((match) => match[1] ?? '')
    .filter((path) => /locale|gconv/.test(path));
  const real = new LocaleFiles({
    stamp: (file) => (existsSync(file) ? 'there' : undefined),
    directoryStamp: () => undefined,
  });
  const listed = new Set(real.of(TOOLCHAIN, new Map([['LC_ALL', 'C.UTF-8']])));
  t.ok(opened.length > 0);
  // A directory that stands in the way of a name is opened too.
  const files = opened.filter((path) => !path.endsWith('/LC_MESSAGES'));
  t.strictSame(
    files.filter((path) => !listed.has(path)),
    [],
  );
});
