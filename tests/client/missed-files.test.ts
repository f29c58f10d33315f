import { spawnSync } from 'node:child_process';
import t, { type Test } from 'tap';
import { filesMissedBy } from '../../src/client/missed-files.js';
import { realFiles } from '../../src/platform/files.js';
import { parseCommand } from '../../src/toolchain/parse-command.js';

/** What a compiler says in a directory that lacks files which another one has. */
function missed(t: Test, compiler: 'gcc' | 'clang', words: string, files: Record<string, string>) {
  const there = t.testdir({ full: files, bare: bare(files) });
  const argv = [compiler, ...words.split(' ')];
  const [program, ...args] = argv;
  const { stderr } = spawnSync(program ?? '', args, {
    cwd: `${there}/bare`,
    encoding: 'latin1',
    env: { ...process.env, LC_ALL: 'C' },
  });
  const parsed = parseCommand({
    argv,
    cwd: `${there}/full`,
    environment: new Map(),
    family: compiler,
    readResponseFile: () => undefined,
  });
  if (parsed.kind !== 'compile') throw new Error(`no compile: ${words}`);
  return filesMissedBy(stderr, parsed.command, realFiles).map((path) =>
    path.replace(`${there}/full/`, '').replace(/^\.\//, ''),
  );
}

const bare = (files: Record<string, string>) =>
  Object.fromEntries(Object.entries(files).filter(([name]) => !name.startsWith('missing')));

await t.test('the header that the compiler did not find, where it would have been', async (t) => {
  for (const compiler of ['gcc', 'clang'] as const) {
    await t.test(compiler, async (t) => {
      const files = { 'x.c': '#include "missing.h"\n', 'missing.h': '' };
      t.strictSame(missed(t, compiler, '-c x.c', files), ['missing.h']);
      const angle = { 'x.c': '#include <missing.h>\n', 'missing.h': '' };
      t.strictSame(missed(t, compiler, '-I. -c x.c', angle), ['missing.h']);
      t.strictSame(missed(t, compiler, '-isystem . -c x.c', angle), ['missing.h']);
    });
  }
});

await t.test('what the assembler did not find', async (t) => {
  const files = { 'x.S': '.incbin "missing.bin"\n', 'missing.bin': '1' };
  t.strictSame(missed(t, 'gcc', '-c x.S', files), ['missing.bin']);
});

await t.test('what is nowhere is nobody’s fault but the source’s', async (t) => {
  t.strictSame(missed(t, 'gcc', '-c x.c', { 'x.c': '#include "nowhere.h"\n' }), []);
  t.strictSame(missed(t, 'gcc', '-c x.c', { 'x.c': 'int x = y;\n' }), []);
});
