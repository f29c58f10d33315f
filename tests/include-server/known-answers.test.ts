import t from 'tap';
import type { HeaderClosure } from '../../src/include-server/header-closure.js';
import { KnownAnswers, type KnownAnswer } from '../../src/include-server/known-answers.js';

const closureOf = (weight: number): KnownAnswer => ({
  version: 1,
  answer: { kind: 'closure', closure: { weight } as HeaderClosure },
});

await t.test('what answers weigh, and that the oldest go first', async (t) => {
  const known = new KnownAnswers();
  known.set('a', closureOf(1_000));
  const one = known.weight;
  t.ok(one >= 1_000);
  known.set('b', closureOf(3_000));
  known.set('a', closureOf(2_000));
  t.equal(known.weight, 2 * one + 3_000, 'an answer takes the place of the one before it');
  known.deleteOldest();
  t.equal(known.get('b'), undefined, 'a was given again');
  t.equal(known.weight, one + 1_000);
  known.deleteOldest();
  known.deleteOldest();
  t.equal(known.weight, 0);
});
