import t from 'tap';
import type { Arity } from '../../../src/toolchain/options/option-spec.js';
import { optionTable } from '../../../src/toolchain/options/option-table.js';
import {
  PREPROCESSOR_ALIASES,
  PREPROCESSOR_ROWS,
} from '../../../src/toolchain/options/preprocessor.js';
import { runIn } from '../../fixtures/commands.js';

/** Values that each option takes; the others take a name. */
const VALUES: Readonly<Record<string, string>> = {
  '-A': 'machine=z80',
  '-finput-charset=': 'latin1',
  '-fexec-charset=': 'latin1',
  '-fwide-exec-charset=': 'UTF-16',
  '-fmax-include-depth=': '20',
  '-ftrack-macro-expansion=': '1',
  '-Wp,': '-DZ',
};

/** An option with a value, in each spelling that its arity allows. */
function spellings(name: string, arity: Arity, value: string): string[][] {
  switch (arity) {
    case 'none':
      return [[name]];
    case 'joined':
      return [[name + value]];
    case 'separate':
      return [[name, value]];
    case 'either':
      return [[name + value], [name, value]];
  }
}

/** What gcc's driver makes of them, without starting anything: the command for cc1. */
const drive = (words: readonly string[]) =>
  runIn('/', ['gcc', '-###', '-E', '-x', 'c', '/dev/null', ...words]);

const valueOf = (name: string): string => VALUES[name] ?? 'd';

await t.test('each option is read back from each of its spellings, as gcc reads it', async (t) => {
  for (const [name, arity, , role] of PREPROCESSOR_ROWS) {
    const value = arity === 'none' ? undefined : valueOf(name);
    for (const words of spellings(name, arity, value ?? '')) {
      const label = words.join(' ');
      t.match(
        optionTable('gcc').match(words[0] ?? ''),
        { spec: { name, role }, takesNextWord: words.length === 2 },
        label,
      );
      t.notMatch(drive(words).stderr, 'unrecognized', label);
    }
  }
});

await t.test('another spelling means the same to gcc', async (t) => {
  for (const [name, arity, target] of PREPROCESSOR_ALIASES) {
    const row = PREPROCESSOR_ROWS.find(([known]) => known === target);
    if (row === undefined) {
      t.fail(`${name} stands for ${target}, which is in no row`);
      continue;
    }
    const value = valueOf(target);
    const [alias = []] = spellings(name, arity, value);
    const [own = []] = spellings(target, row[1], value);
    t.match(optionTable('gcc').match(alias[0] ?? ''), { spec: { name: target } }, name);
    const { stderr } = drive(alias);
    t.match(stderr, /cc1/, name);
    t.equal(stderr, drive(own).stderr, `${name} is ${target}`);
  }
});

await t.test('what only the preprocessor reads is not sent', async (t) => {
  for (const [name, , value, role] of PREPROCESSOR_ROWS) {
    if (role === 'both') t.not(value, 'path', `${name} would name a file of this host`);
    else t.match(role, /^(?:preprocess|dependencies)$/, name);
  }
});
