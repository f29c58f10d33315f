import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import t from 'tap';
import { headerNames } from '../../src/include-server/macro-values.js';
import { Definitions } from '../fixtures/header-walk.js';

/** A repeatable source of choices. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

const ROUNDS = 400;

/** Definitions and an #include that always makes a header's name: GCC must not stop. */
class RandomUnit {
  readonly lines: string[] = [];
  readonly operand: string;
  readonly #roll: (sides: number) => number;
  #names: { name: string; arity: number }[] = [];

  constructor(roll: (sides: number) => number, round: number) {
    this.#roll = roll;
    this.lines.push('#define STR(...) STR_(__VA_ARGS__)', '#define STR_(...) #__VA_ARGS__');
    this.lines.push(
      '#define RAW(x) #x',
      '#define CAT(a, b) CAT_(a, b)',
      '#define CAT_(a,b) a ## b',
    );
    this.lines.push(
      '#define EMPTY',
      '#define LESS <',
      '#define ID(x) x',
      '#define OPT(x, ...) x __VA_OPT__(-__VA_ARGS__) o',
    );
    this.lines.push('#define REST(a, r...) a/m ## r', '#define LAST(x...) k,## x');
    for (let index = 0; index < 5; index++) {
      const arity = roll(4) - 1;
      const name = `M${index}`;
      const parameters = ['p', 'q', 's'].slice(0, arity);
      const list = arity < 0 ? '' : `(${parameters.join(this.#pick([',', ', ']))})`;
      this.lines.push(`#define ${name}${list} ${this.#text(3, parameters)}-`);
      this.#names.push({ name, arity });
    }
    const text = this.#text(4, []);
    const wrapped = [
      `STR(${text})`,
      `RAW(${text})`,
      `LESS ${text} >`,
      `ID(<)${text}ID(>)`,
      `ID(STR(${text}))`,
    ];
    this.operand = `${this.#pick(wrapped)} /* ${round} */`;
  }

  #pick<T>(choices: readonly T[]): T {
    return choices[this.#roll(choices.length)] as T;
  }

  /** Some words, names and calls with random white space between them. */
  #text(length: number, parameters: readonly string[]): string {
    let text = '';
    for (let index = 0; index <= this.#roll(length) + 1; index++) {
      text += this.#pick(['', ' ', '  ', '\t']) + this.#word(length - 1, parameters);
    }
    return text;
  }

  #word(depth: number, parameters: readonly string[]): string {
    const roll = this.#roll(parameters.length > 0 ? 14 : 11);
    if (roll > 10) return this.#pick(parameters);
    if (roll < 4 || depth <= 0)
      return this.#pick(['a', 'dir/b', '.h', '-', '1.5', 'M0', 'M4', 'EMPTY']);
    if (roll === 4)
      return `CAT(${this.#pick(['a', 'M', 'EMPTY', ''])},${this.#pick([' 1', 'b', '2 ', ''])})`;
    if (roll === 5) return `ID(${this.#text(depth, parameters)})`;
    if (roll === 6) return `OPT(${this.#pick(['x', 'EMPTY', 'x,', 'x,y', 'x , y z', 'x,EMPTY'])})`;
    if (roll === 7)
      return this.#pick(['REST(u, v)', 'REST(u,M3)', 'LAST()', 'LAST(l, m)', 'LAST( EMPTY )']);
    const { name, arity } = this.#pick([...this.#names, { name: 'ID', arity: 1 }]);
    if (arity < 0) return name;
    const args = Array.from({ length: Math.max(arity, 0) }, () =>
      this.#text(depth - 1, parameters),
    );
    return `${name}${this.#pick(['', ' '])}(${args.join(this.#pick([',', ' , ']))})`;
  }
}

interface Asked {
  readonly names: readonly string[];
  /** Lines of the source in which gcc saw an error; it goes on with what it made of them. */
  readonly wrong: readonly number[];
}

/** Names that gcc looks for, missing files included. */
function askedByGcc(lines: readonly string[], directory: string): Asked {
  const file = `${directory}/unit.c`;
  writeFileSync(file, `${lines.join('\n')}\n`);
  const { stdout, stderr } = spawnSync('gcc', ['-M', '-MG', '-w', file], { encoding: 'latin1' });
  const names = stdout
    .replace(/\\\n/g, ' ')
    .replace(/^.*?unit\.c .*?stdc-predef\.h/s, '')
    .split(/(?<!\\)[ \n]/)
    .map((word) => word.replace(/\\([ #])/g, '$1'))
    .filter((word) => word !== '');
  const wrong = [...stderr.matchAll(/unit\.c:(\d+):/g)].map(([, line]) => Number(line) - 1);
  return { names, wrong };
}

await t.test('the names are those that gcc looks for', async (t) => {
  const directory = t.testdir({});
  const roll = dice(20_261_124);
  const lines: string[] = [];
  const expected = new Set<string>();
  let unknown = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const unit = new RandomUnit(roll, round);
    const names = headerNames(
      unit.operand.replace(/ \/\*.*/, ''),
      new Definitions().addFrom(unit.lines),
    );
    if (names === 'unknown') {
      // Each macro may also be undefined: a long operand has too many ways.
      unknown++;
      continue;
    }
    const undefs = unit.lines.map((line) => `#undef ${/^#define (\w+)/.exec(line)?.[1] ?? ''}`);
    lines.push(...unit.lines, `#include ${unit.operand}`, ...undefs);
    for (const name of names) expected.add(name.slice(1));
  }
  // A call with too many arguments is wrong: what comes of it is left to nobody's care.
  const { wrong } = askedByGcc(lines, directory);
  const right = lines.filter((line, at) => !line.startsWith('#include') || !wrong.includes(at));
  const asked = askedByGcc(right, directory).names;
  const missing = asked.filter((name) => !expected.has(name));
  t.strictSame(missing, [], 'nothing that gcc looks for is missing');
  t.ok(asked.length > ROUNDS / 3, `${asked.length} different names`);
  t.ok(unknown < ROUNDS / 10, `${unknown} have too many`);
});
