import t from 'tap';
import { optionTable } from '../../src/toolchain/options/option-table.js';
import { isPreprocessorWord, preprocessorWords } from '../../src/toolchain/preprocessor-words.js';
import { tokenize } from '../../src/toolchain/tokenize.js';

const tokens = (line: string) => tokenize(line.split(' '), optionTable('gcc'), 'gcc');

/** `name value` of each, or the reason against them. */
function words(line: string): string[] | string {
  const result = preprocessorWords(tokens(line));
  return result.ok
    ? result.value.map(({ name, value }) => `${name} ${value}`.trim())
    : result.error;
}

await t.test('nothing is handed on', async (t) => {
  t.strictSame(words('-c -MD -DA x.c'), []);
});

await t.test('options with their values', async (t) => {
  t.strictSame(words('-Wp,-MD,x.d,-MP,-DA=1,-UB'), ['-MD x.d', '-MP', '-D A=1', '-U B']);
  t.strictSame(words('-Wp,-MF,x.d -Wp,-MFy.d,-MT,a,-MQb'), [
    '-MF x.d',
    '-MF y.d',
    '-MT a',
    '-MQ b',
  ]);
});

await t.test('-MD takes its file as a word of its own, always', async (t) => {
  t.strictSame(words('-Wp,-MDx.d'), 'option:-Wp,-MDx');
  t.strictSame(words('-Wp,-MMD,x.d'), ['-MMD x.d']);
});

await t.test('a value may come in another -Wp', async (t) => {
  t.strictSame(words('-Wp,-MD -O2 -Wp,x.d'), ['-MD x.d']);
  t.strictSame(words('-Xpreprocessor -MT -Xpreprocessor a,b'), ['-MT a,b'], 'with its comma');
  t.strictSame(words('-Wp,-MD -Xpreprocessor x.d'), ['-MD x.d']);
});

await t.test('what is not understood is declined by name', async (t) => {
  for (const [line, reason] of [
    ['-Wp,-I,dir', 'option:-Wp,-I'],
    ['-Wp,-include,h', 'option:-Wp,-include'],
    ['-Wp,-MG', 'option:-Wp,-MG'],
    ['-Wp,-MPx', 'option:-Wp,-MPx'],
    ['-Wp,-P/x', 'option:-Wp,-P'],
    ['-Wp,file', 'option:-Wp,file'],
    ['-Wp,', 'option:-Wp,'],
    ['-Wp,-MD', 'option:-Wp,-MD'],
    ['-Wp,-DA,-MT', 'option:-Wp,-MT'],
  ] as const) {
    t.equal(words(line), reason, line);
  }
});

await t.test('which words are for the preprocessor', async (t) => {
  t.strictSame(tokens('-Wp,-DA -Xpreprocessor -DB -DC x.c -Wall').map(isPreprocessorWord), [
    true,
    true,
    false,
    false,
    false,
  ]);
});
