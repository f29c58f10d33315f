import { existsSync, realpathSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { headerNames } from '../../src/include-server/macro-values.js';
import { Definitions, includedByGcc, walkHeaders } from '../fixtures/header-walk.js';

function names(operand: string, ...macros: string[]): string[] | 'unknown' {
  const found = headerNames(operand, new Definitions().addFrom(macros));
  return found === 'unknown' ? found : [...found].toSorted();
}

/** Of the names, those that are not made of a macro that might be undefined. */
function lowerCase(found: string[] | 'unknown'): string[] | 'unknown' {
  return found === 'unknown' ? found : found.filter((name) => !/[A-Z]/.test(name));
}

await t.test('a macro names a header, in each of its definitions that do', async (t) => {
  t.strictSame(names('FT_FREETYPE_H', '#define FT_FREETYPE_H <freetype/freetype.h>'), [
    '<freetype/freetype.h',
  ]);
  t.strictSame(names('LIST', '#define LIST "a.def"', '#define LIST 7', '#define LIST "b.def"'), [
    '"a.def',
    '"b.def',
  ]);
  t.strictSame(names('CONFIG', '#define CONFIG "config.h"', '#define CONFIG <config.h>'), [
    '"config.h',
    '<config.h',
  ]);
  t.strictSame(names('A', '#define A B', '#define B C', '#define C A'), [], 'a circle ends');
});

await t.test('what is defined nowhere names nothing, and that is known', async (t) => {
  t.strictSame(names('NOWHERE'), []);
  t.strictSame(names('__GNUC__'), []);
  t.strictSame(names('F(x)', '#define F(a, b) "x.h"'), [], 'a call that GCC refuses');
  t.strictSame(names('F(x', '#define F(a) "x.h"'), [], 'a call without an end');
});

await t.test('what only the compiler knows makes the name unknown', async (t) => {
  const text = [
    '#define S(x) S_(x)',
    '#define S_(x) #x',
    '#define C(a, b) a ## b',
    '#define D(a,b) C(a,b)',
  ];
  t.equal(names('S(linux/gcc-__GNUC__.h)', ...text), 'unknown');
  t.equal(names('S(D(gcc, __GNUC__).h)', ...text), 'unknown');
  t.equal(names('<gcc/__GNUC__/x.h>'), 'unknown');
  t.equal(names('__FILE__'), 'unknown');
  t.strictSame(names('__FILE__', '#define __FILE__ "/src/self.h"'), ['"/src/self.h']);
  t.strictSame(names('S_(__GNUC__.h)', ...text), ['"__GNUC__.h'], '# does not expand');
});

await t.test('more names than the bound are unknown', async (t) => {
  const macros = ['#define S(x) S_(x)', '#define S_(x) #x'];
  for (const name of ['A', 'B', 'C']) {
    for (let value = 0; value < 20; value++) macros.push(`#define ${name} ${name}${value}`);
  }
  t.equal(names('S(A/B/C)', ...macros), 'unknown');
  t.equal(names('S(A/B)', ...macros).length, 21 * 21);
});

await t.test('function-like macros', async (t) => {
  const text = ['#define S(...) S_(__VA_ARGS__)', '#define S_(x...) #x', '#define DIR lib'];
  t.strictSame(lowerCase(names('S(DIR/x.h)', ...text)), ['"lib/x.h']);
  t.strictSame(names('S_(DIR/x.h)', ...text), ['"DIR/x.h'], 'not expanded before #');
  t.strictSame(names('F(x)(y)', '#define F(a) G', '#define G(b) #b'), ['"y'], 'scanned on');
  t.strictSame(names('F (x)', '#define F(a) <a/v.h>'), ['<x/v.h']);
  t.strictSame(names('S("a\\b" \'"\')', ...text), ['"\\"a\\\\b\\" \'\\"\''], 'quotes within #');
  t.strictSame(names('F(x)', '#define F(a, r...) <a.h, ## r>'), ['<x.h'], 'the comma goes');
  t.strictSame(names('F()', '#define F(...) __VA_OPT__("a.h") "b.h"'), ['"b.h']);
  t.strictSame(names('F(1)', '#define F(...) __VA_OPT__("a.h") "b.h"'), ['"a.h']);
  t.strictSame(names('C(FT_, H)', '#define C(a, b) a ## b', '#define FT_H <ft.h>'), ['<ft.h']);
});

await t.test("the kernel's trace headers", async (t) => {
  const found = names(
    'TRACE_INCLUDE(TRACE_INCLUDE_FILE)',
    '#define __stringify_1(x...) #x',
    '#define __stringify(x...) __stringify_1(x)',
    '#define TRACE_SYSTEM sched',
    '#define TRACE_SYSTEM irq',
    '#define TRACE_INCLUDE_FILE TRACE_SYSTEM',
    '#define TRACE_INCLUDE_PATH ../../drivers/x',
    '#define TRACE_INCLUDE_PATH .',
    '#define __TRACE_INCLUDE(system) <trace/events/system.h>',
    '#define __TRACE_INCLUDE(system) __stringify(TRACE_INCLUDE_PATH/system.h)',
    '#define TRACE_INCLUDE(system) __TRACE_INCLUDE(system)',
  );
  t.strictSame(lowerCase(found), [
    '"../../drivers/x/irq.h',
    '"../../drivers/x/sched.h',
    '"./irq.h',
    '"./sched.h',
    '<trace/events/irq.h',
    '<trace/events/sched.h',
  ]);
});

const BOOST = '/usr/include/boost/preprocessor.hpp';
const withoutBoost = existsSync(BOOST) ? false : 'the headers of Boost are not installed';

await t.test("Boost's headers, as gcc includes them", { skip: withoutBoost }, async (t) => {
  const directory = t.testdir({
    'f.h': '',
    'unit.cc': [
      '#include <boost/preprocessor/iteration.hpp>',
      '#include <boost/preprocessor/slot/slot.hpp>',
      '#include <boost/mpl/plus.hpp>',
      '#define BOOST_PP_ITERATION_PARAMS_1 (3, (0, BOOST_PP_DEC(4), "f.h"))',
      '#include BOOST_PP_ITERATE()',
      '#define BOOST_PP_ITERATION_PARAMS_1 (4, (1, 2, "four.h", 7))',
      '#include BOOST_PP_ITERATE()',
      '#define BOOST_PP_VALUE 3',
      '#include BOOST_PP_ASSIGN_SLOT(1)',
      '#define BOOST_PP_LOCAL_MACRO(n) int local##n;',
      '#define BOOST_PP_LOCAL_LIMITS (0, 3)',
      '#include BOOST_PP_LOCAL_ITERATE()',
    ].join('\n'),
  });
  writeFileSync(`${directory}/four.h`, '');
  const source = `${directory}/unit.cc`;
  const walk = walkHeaders(source, [directory, '/usr/include']);
  const real = new Set([...walk.files].map((file) => realpathSync(file)));
  const missing = includedByGcc('g++', [`-I${directory}`, source]).filter(
    (file) => /boost|\/(f|four)\.h$/.test(file) && !real.has(realpathSync(file)),
  );
  t.strictSame(missing, []);
  t.strictSame(
    [...walk.computed].filter(([, found]) => found === 'unknown').map(([operand]) => operand),
    [],
  );
  const files = walk.computed.get('BOOST_PP_FILENAME_1');
  t.ok(files !== undefined && files !== 'unknown' && files.has('"f.h') && files.has('"four.h'));
});
