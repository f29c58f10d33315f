import t from 'tap';
import { dependencyRequest, isSpecialFile } from '../../src/toolchain/dependency-request.js';
import { optionTable, type CompilerFamily } from '../../src/toolchain/options/option-table.js';
import { preprocessorWords } from '../../src/toolchain/preprocessor-words.js';
import { tokenize } from '../../src/toolchain/tokenize.js';

/** `plain-mode.test.ts` compares many of these with the file that each compiler writes. */
function request(line: string, output?: string, family: CompilerFamily = 'gcc'): unknown {
  const tokens = tokenize(line.split(' '), optionTable(family), family);
  const handed = preprocessorWords(tokens);
  if (!handed.ok) throw new Error(handed.error);
  const result = dependencyRequest(tokens, handed.value, 'src/x.c', output, family);
  return result.ok ? result.value : result.error;
}

await t.test('none is asked for', async (t) => {
  t.equal(request('-c -O2'), undefined);
  t.equal(request('-c -Wp,-DA'), undefined);
});

await t.test('beside the output, else named after the source, here', async (t) => {
  t.strictSame(request('-MD', 'out/y.o'), {
    systemHeaders: true,
    path: 'out/y.d',
    defaultTarget: 'out/y.o',
    hasTarget: false,
  });
  t.match(request('-MD', 'out/y'), { path: 'out/y.d', defaultTarget: 'out/y' });
  t.match(request('-MD'), { path: 'x.d', defaultTarget: 'x.o' });
  t.match(request('-MD -MF a.d -MF b.d', 'y.o'), { path: 'b.d' });
});

await t.test('-MMD leaves system headers out, whatever comes with it', async (t) => {
  for (const line of ['-MMD', '-MD -MMD', '-MMD -MD']) {
    t.match(request(line), { systemHeaders: false }, line);
  }
});

await t.test('targets that the command names', async (t) => {
  t.match(request('-MD -MT a', 'y.o'), { hasTarget: true, defaultTarget: 'x.o' });
  t.match(request('-MD -MQ a'), { hasTarget: true });
  t.match(request('-MD -Wp,-MT,a', 'y.o'), { hasTarget: false, defaultTarget: 'y.o' });
  t.match(request('-MD -Wp,-MT,a'), { hasTarget: true, defaultTarget: 'x.o' });
});

await t.test('through -Wp, the last word counts', async (t) => {
  t.match(request('-Wp,-MMD,w.d', 'y.o'), {
    systemHeaders: false,
    path: 'w.d',
    defaultTarget: 'x.o',
  });
  t.match(request('-MD -MF f.d -Wp,-MMD,w.d', 'y.o'), { systemHeaders: false, path: 'w.d' });
  t.match(request('-MD -Wp,-MF,w.d', 'y.o'), { systemHeaders: true, path: 'w.d' });
});

await t.test("for Clang's driver -Wp,-MD,f is -MD -MF f", async (t) => {
  const clang = (line: string, output?: string) => request(line, output, 'clang');
  t.match(clang('-Wp,-MD,w.d', 'y.o'), { path: 'w.d', defaultTarget: 'y.o' });
  t.equal(clang('-Wp,-MD,w.d -MF f.d'), 'option:-MF');
  t.equal(clang('-Wp,-MD,w.d,-MT,a'), 'option:-Wp,-MT');
  t.equal(clang('-MD -Wp,-MP'), 'option:-Wp,-MP');
  t.match(clang('-MD -MT a', 'y.o'), { hasTarget: true });
});

await t.test('options that make no sense alone are named', async (t) => {
  t.equal(request('-MF f.d'), 'option:-MF');
  t.equal(request('-MP -MT a'), 'option:-MP');
  t.equal(request('-Wp,-MQ,a'), 'option:-MQ');
  t.equal(request('-MD -MG'), 'option:-MG', 'an error of the compiler itself');
  t.equal(request('-MG'), 'option:-MG');
});

await t.test('what is no file', async (t) => {
  for (const path of ['-', '', '/dev/stdout', '//dev/fd/3', '/proc/self/fd/1']) {
    t.equal(isSpecialFile(path), true, path);
    if (path !== '') t.equal(request(`-MD -MF ${path}`), 'output-special', path);
  }
  for (const path of ['x.d', '/devices/x', 'dev/x', './-', '/home/dev/x']) {
    t.equal(isSpecialFile(path), false, path);
  }
});
