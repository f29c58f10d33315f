import t from 'tap';
import { definedByCommand } from '../../src/include-server/command-line-macros.js';
import type { MacroDefinition } from '../../src/include-server/scanned-file.js';
import { runIn } from '../fixtures/commands.js';

/** As `-dM` prints it. */
function printed(name: string, { parameters, variadic, body }: MacroDefinition): string {
  if (parameters === undefined) return `#define ${name} ${body}`;
  const rest = parameters.at(-1) === '__VA_ARGS__' ? '...' : `${parameters.at(-1)}...`;
  const list = variadic ? [...parameters.slice(0, -1), rest] : parameters;
  return `#define ${name}(${list.join(',')}) ${body}`;
}

await t.test('as gcc reads them', async (t) => {
  for (const value of [
    'X',
    'X=',
    'X=1',
    'X==',
    'X=a=b',
    'X= a ',
    'X="header.h"',
    'X=<sys/types.h>',
    'X="a/*b*/c"',
    "X='\"'",
    'F(x)=x',
    'F(x)',
    'F()=1',
    'F(x,y)=<x/y.h>',
    'F( x , y )=x y',
    'F(...)=f(__VA_ARGS__)',
    'F(a,rest...)=f(rest)',
    'X=one\ntwo',
    '_x$1=2',
    'X (x)=1',
  ]) {
    const [[name, [macro] = []] = ['', []]] = definedByCommand([value]);
    if (macro === undefined) throw new Error(`${value} is not read`);
    const { stdout } = runIn('/', [
      'gcc',
      '-E',
      '-dM',
      '-undef',
      `-D${value}`,
      '-x',
      'c',
      '/dev/null',
    ]);
    const lines = stdout.toString().split('\n');
    t.ok(lines.includes(printed(name, macro)), `${value}: ${printed(name, macro)}`);
  }
});

await t.test('comments are spaces', async (t) => {
  const [macro] = definedByCommand(['X=a/*b*/c//d']).get('X') ?? [];
  t.equal(macro?.body, 'a c');
});

await t.test('all definitions of a name are kept, each once', async (t) => {
  const macros = definedByCommand(['X=1', 'Y', 'X=2', 'X=1']);
  t.strictSame(
    macros.get('X')?.map(({ body }) => body),
    ['1', '2'],
  );
  t.equal(macros.size, 2);
});

await t.test('a backslash does not reach into the next', async (t) => {
  const macros = definedByCommand(['X=a\\', 'Y=2']);
  t.strictSame([...macros.keys()], ['X', 'Y']);
});

await t.test('what no compiler takes defines nothing', async (t) => {
  t.equal(definedByCommand(['', '=1', '1X', '-']).size, 0);
});
