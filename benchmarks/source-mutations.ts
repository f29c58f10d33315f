/**
 * Real sources made wrong, or suspicious, in one place: the same from the same seed. Texts are bytes
 * as latin1.
 */
import type { SeededRandom } from '../tests/fixtures/seeded-random.js';

/** @returns the changed text; undefined where the source has no such place */
type Mutation = (text: string, random: SeededRandom) => string | undefined;

/** UTF-8, as bytes. */
const FOREIGN = Buffer.from('\u00e9\u4e2d').toString('latin1');

/** At a random match: the text that is to stand there. */
function replacing(pattern: RegExp, by: (match: string, random: SeededRandom) => string): Mutation {
  return (text, random) => {
    const places = [...text.matchAll(pattern)];
    if (places.length === 0) return undefined;
    const { index, 0: match } = random.pick(places);
    return text.slice(0, index) + by(match, random) + text.slice(index + match.length);
  };
}

/** At the begin of a random line that no other goes on in. */
const inserting = (line: string): Mutation => replacing(/(?<=[;}]\n)(?=\S)/g, () => `${line}\n`);

/** As the first statement of a random block. */
const stating = (line: string): Mutation => replacing(/(?<=\)\s*\{)(?=\n)/g, () => `\n  ${line}`);

export const MUTATIONS: Readonly<Record<string, Mutation>> = {
  'lost-punctuation': replacing(/[;,(){}[\]]/g, () => ''),
  'doubled-line': replacing(/^.*\n/gm, (line) => line + line),
  'misspelt-name': replacing(/\b[a-z]\w{3,}\b/g, (name) => `${name}x`),
  'lost-letter': replacing(/\b[a-z]\w{4,}\b/g, (name) => name.slice(1)),
  'lost-include': replacing(/^#\s*include.*\n/gm, () => ''),
  'missing-include': inserting('#include "no-such-header.h"'),
  'error-directive': inserting('#error this is "wrong"'),
  'warning-directive': inserting('#warning this is doubtful'),
  'pragma-message': inserting('#pragma message "look here"'),
  'unknown-pragma': inserting('#pragma tscc once more'),
  'gcc-warning': inserting('#pragma GCC warning "by the source"'),
  'unused-function': inserting('static int tscc_unused(int a) { return a; }'),
  'conflicting-types': inserting('extern int tscc_twice; extern char *tscc_twice;'),
  'string-for-number': replacing(/\b[1-9]\d*\b/g, () => '"text"'),
  'assigned-in-condition': replacing(/==/g, () => '='),
  'bad-character': replacing(/\b[a-z]\w{2,}\b/g, (name) => `${name}@`),
  'foreign-letters': replacing(/\b[a-z]\w{2,}\b/g, (name) => `${name}${FOREIGN}`),
  'odd-bytes': replacing(/(?<=\n)(?=\S)/g, () => 'int \u0000\u0001\u0080\u00ff;'),
  'cut-off': (text, random) => text.slice(0, Math.floor(text.length * random.next())),
  'unclosed-comment': inserting('/* never closed'),
  'unclosed-string': stating('const char *tscc_s = "never closed;'),
  'unused-variable': stating('int tscc_unused;'),
  'bad-format': stating('__builtin_printf("%s %d %q\\n", 1L, "x");'),
  'fall-through': stating(
    'switch (__LINE__) { case 1: __builtin_puts("1"); case 2: __builtin_puts("2"); }',
  ),
  uninitialized: stating(
    '{ int tscc_a; if (__LINE__ > 5) tscc_a++; __builtin_printf("%d", tscc_a); }',
  ),
  'shadowed-and-signed': stating('for (unsigned i = 0; i < -1; i++) { int i = 1; (void)i; }'),
  'divided-by-zero': stating('(void)(1 / 0);'),
  tabs: stating('\tint\ttscc_tab\t=\t"x"\t*\t2;'),
  'other-line-name': stating('\n#line 7 "some where.y"\n  int tscc_l = "x" * 2;'),
  'long-line': stating(`int tscc_long = ${'1 + '.repeat(90)}"x" * 2;`),
};
