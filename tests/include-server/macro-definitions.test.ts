import t from 'tap';
import { scan } from '../../src/include-server/directive-scanner.js';
import type { MacroDefinition } from '../../src/include-server/scanned-file.js';

const macros = (source: string): Record<string, readonly MacroDefinition[]> =>
  Object.fromEntries(scan(Buffer.from(source, 'latin1'), 'c').macros);

const object = (body: string): MacroDefinition => ({
  parameters: undefined,
  variadic: false,
  body,
});

await t.test('objects', async (t) => {
  t.strictSame(macros('#define A <a.h>\n # define B\n%:define C /* x */ "c" /* y\n */ d // e\n'), {
    A: [object('<a.h>')],
    B: [object('')],
    C: [object('"c"   d')],
  });
  t.strictSame(macros('#define A(x\n#define B (x)\n#define C/**/(x)\n#define D"d.h"\n'), {
    A: [object('(x')],
    B: [object('(x)')],
    C: [object('(x)')],
    D: [object('"d.h"')],
  });
});

await t.test('functions', async (t) => {
  const parameters = (...names: string[]): object => ({ parameters: names, variadic: false });
  t.match(macros('#define A() a\n#define B(x, y)x##y\n#define C( x )\n'), {
    A: [{ ...parameters(), body: 'a' }],
    B: [{ ...parameters('x', 'y'), body: 'x##y' }],
    C: [{ ...parameters('x'), body: '' }],
  });
  t.match(macros('#define A(...) a\n#define B(x, ...) b\n#define C(x, rest...) c\n'), {
    A: [{ parameters: ['__VA_ARGS__'], variadic: true }],
    B: [{ parameters: ['x', '__VA_ARGS__'], variadic: true }],
    C: [{ parameters: ['x', 'rest'], variadic: true }],
  });
});

await t.test('every definition under any condition, none twice', async (t) => {
  t.strictSame(
    macros('#if 1\n#define A 1\n#elif 0\n#define A 2\n#define A 1\n#endif\n#define A() 1\n').A,
    [object('1'), object('2'), { parameters: [], variadic: false, body: '1' }],
  );
});

await t.test('splices and literals in a definition', async (t) => {
  t.strictSame(macros('#def\\\nine A\\\nB "x//y" \\\n  \'/*\' z\nint i;\n'), {
    AB: [object('"x//y"   \'/*\' z')],
  });
  t.strictSame(macros('#define \xe9 <\xe9.h>\n'), { '\xe9': [object('<\xe9.h>')] });
});
