import t from 'tap';
import { digestOf } from '../../src/core/digest.js';
import { TerminalFiles } from '../../src/toolchain/terminal-files.js';
import type { Toolchain } from '../../src/toolchain/toolchain.js';

const CLANG: Toolchain = {
  digest: digestOf('clang'),
  family: 'clang',
  version: '14.0.6',
  target: 'x86_64-pc-linux-gnu',
  compiler: '/usr/bin/clang',
  name: 'clang',
  driverBytes: 1,
  files: ['/usr/bin/clang', '/lib/x86_64-linux-gnu/libtinfo.so.6'],
};
const XTERM = ['TERM', 'xterm'] as const;

function machine(...present: readonly string[]) {
  const files = new Set(present);
  let looks = 0;
  const terminals = new TerminalFiles({
    stamp: (file) => {
      looks++;
      return files.has(file) ? 'there' : undefined;
    },
    directoryStamp: (directory) =>
      [...files].filter((file) => file.startsWith(`${directory}/`)).join(),
  });
  const of = (toolchain: Toolchain, ...pairs: (readonly [string, string])[]) =>
    terminals.of(toolchain, new Map(pairs));
  return { files, of, looks: () => looks };
}

await t.test('GCC goes by its environment', async (t) => {
  const { of, looks } = machine('/lib/terminfo/x/xterm');
  t.strictSame(of({ ...CLANG, family: 'gcc' }, XTERM, ['TERMINFO', '/x']), []);
  t.equal(looks(), 0);
});

await t.test('Clang looks the terminal up', async (t) => {
  const { of } = machine('/lib/terminfo/x/xterm', '/etc/terminfo/x/xterm', '/lib/terminfo/d/dumb');
  t.strictSame(of(CLANG, XTERM, ['HOME', '/h']), [
    '/etc/terminfo/x/xterm',
    '/lib/terminfo/x/xterm',
  ]);
  t.strictSame(of(CLANG, ['TERM', 'dumb']), ['/lib/terminfo/d/dumb']);
  t.strictSame(of(CLANG, ['TERM', 'nonesuch']), [], 'and has no colours then');
  t.strictSame(of(CLANG), []);
});

await t.test('where it looks is not known', async (t) => {
  const { of } = machine('/lib/terminfo/x/xterm');
  t.ok(of(CLANG, XTERM));
  for (const files of [
    ['/usr/bin/clang'],
    ['/opt/conda/lib/libtinfo.so.6'],
    ['/lib/mine/libtinfo.so.6'],
  ]) {
    t.equal(of({ ...CLANG, files }, XTERM), undefined, files.join());
  }
  t.equal(of({ ...CLANG, version: '13.0.1' }, XTERM), undefined);
  t.equal(of(CLANG, XTERM, ['TERMINFO', '/x']), undefined);
  t.equal(of(CLANG, XTERM, ['TERMINFO_DIRS', '']), undefined);
  t.equal(of(CLANG, ['TERM', '../x']), undefined);
});

await t.test('looked for once, until one comes or goes', async (t) => {
  const { files, of, looks } = machine('/lib/terminfo/x/xterm');
  const first = of(CLANG, XTERM, ['HOME', '/h']);
  of(CLANG, XTERM, ['HOME', '/h']);
  const before = looks();
  t.equal(of(CLANG, XTERM, ['HOME', '/h']), first);
  t.equal(looks(), before + 1, 'the file that is there');
  files.add('/h/.terminfo/x/xterm');
  t.equal(of(CLANG, XTERM, ['HOME', '/h']), undefined, 'one of the user’s own');
  files.delete('/h/.terminfo/x/xterm');
  t.strictSame(of(CLANG, XTERM, ['HOME', '/h']), first);
});
