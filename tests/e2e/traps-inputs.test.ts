/** Inputs that go round in circles, are huge, or are pulled away: the compiler's own answer. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { without } from '../fixtures/tools.js';
import { Twins, type ExpectedFate } from '../fixtures/twins.js';

const twins = await Twins.start(t);
twins.host.env['TSCC_MODE'] = 'pump';

await t.test('links that lead to themselves', async (t) => {
  const files = { 'x.c': '#include <l.h>\nint x = L;\n', 'i/.k': '', 'j/l.h': '#define L 1\n' };
  const cases: readonly (readonly [line: string, fate: ExpectedFate])[] = [
    ['ln -s l.h i/l.h && $CC -Ii -Ij -c x.c', 'decline preprocess-diagnostics'],
    ['ln -s i i/i && $CC -Ii/i/i -Ij -c x.c', 'decline preprocess-diagnostics'],
    ['ln -s .. j/up && $CC -MD -Ij/up/j/up/j -c x.c', 'pump'],
    ['ln -s a b && ln -s b a && $CC -Ia -Ij -c x.c', 'decline preprocess-diagnostics'],
    ['ln -s y.c y.c && $CC -c y.c', 'decline unreadable-input'],
  ];
  for (const [line, fate] of cases) await twins.compare(t, line, fate, { files });
});

await t.test('headers that include one another', async (t) => {
  const files = {
    'x.c': '#include "a.h"\nint x = A + B;\n',
    'a.h': '#ifndef A\n#define A 1\n#include "b.h"\n#endif\n',
    'b.h': '#include "a.h"\n#define B 2\n',
    'y.c': '#include "y.c"\n',
  };
  t.match(await twins.compare(t, '$CC -MD -c x.c', 'pump', { files }), { status: 0 });
  t.match(await twins.compare(t, '$CC -c y.c', 'fallback compile-error', { files }), { status: 1 });
});

await t.test('a header of 50 MiB', async (t) => {
  const files = { 'x.c': '#include "big.h"\nint x = LAST;\n' };
  const big = `{ yes '/* ${'-'.repeat(240)} */' | head -n 220000; echo '#define LAST 1'; } >big.h`;
  const line = `${big} && $CC -MD -c x.c; s=$?; stat -c %s big.h; rm big.h; exit $s`;
  const { status, stdout } = await twins.compare(t, line, 'pump', { files });
  t.equal(status, 0);
  t.ok(Number(stdout) > 50 << 20, stdout);
});

await t.test('another compiler in the same place', { skip: without('gcc-11') }, async (t) => {
  const link = (name: string) => `ln -sf "$(command -v ${name})" bin/gcc`;
  const line = `${link('gcc')} && $CC -g -c x.c -o 1.o && ${link('gcc-11')} && $CC -g -c x.c -o 2.o`;
  const files = { 'x.c': 'int x(int a) { return a / 3; }\n', 'bin/.k': '' };
  const run = await twins.compare(t, line, ['pump', 'pump'], { files }, './bin/gcc');
  t.equal(run.status, 0);
  t.not(run.files['1.o'], run.files['2.o']);
});

await t.test('how they ran', (t) => twins.checkFates(t));

await t.test('a source that is deleted meanwhile', async (t) => {
  const { host } = twins;
  for (let n = 0; n < 4; n++) {
    const line = `echo 'int x;' >g.c; tscc gcc -c g.c -o g.o & ${'ls >l;'.repeat(n)} rm g.c; wait $!`;
    const { status, stderr } = await host.shell(`rm -f g.o; ${line}`);
    const left = (await host.shell('test -e g.o')).status;
    t.match([status, left, stderr], status === 0 ? [0, 0, ''] : [1, 1, /g\.c: No such file/]);
  }
});

await t.test('two compiles that write one dependency file', async (t) => {
  const { host } = twins;
  const compile = (name: string) => `tscc gcc -MD -MF one.d -c ${name}.c`;
  const line = `for n in y z; do echo "int $n;" >$n.c; done; ${compile('y')} & ${compile('z')}; wait $!`;
  t.strictSame(await host.shell(line), { status: 0, stdout: '', stderr: '' });
  t.match(readFileSync(`${host.directory}/one.d`, 'utf8'), /^([yz])\.o: \1\.c[^:]*$/);
  t.strictSame(host.leftovers(), []);
});
