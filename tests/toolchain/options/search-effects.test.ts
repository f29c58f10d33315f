import t from 'tap';
import { optionTable } from '../../../src/toolchain/options/option-table.js';
import { SEARCH_EFFECTS } from '../../../src/toolchain/options/search-effects.js';

await t.test('every name is a row of a table', async (t) => {
  for (const [name, effect] of SEARCH_EFFECTS) {
    const specs = [optionTable('gcc').spec(name), optionTable('clang').spec(name)];
    t.ok(
      specs.some((spec) => spec?.search === effect),
      name,
    );
  }
});

await t.test('any switch of the machine may select a multilib', async (t) => {
  for (const name of ['-m32', '-march=', '-mno-sse2', '-mfloat-abi=']) {
    t.equal(optionTable('clang').spec(name)?.search, 'default', name);
  }
  t.equal(optionTable('gcc').spec('-O')?.search, undefined);
});
