import { renameSync, symlinkSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { KeptRecipes } from '../../src/client/kept-recipes.js';
import { PrecompiledHeaders, type HeaderCommand } from '../../src/client/precompiled-headers.js';
import { digestOf } from '../../src/core/digest.js';
import type { DeclineReason } from '../../src/core/reasons.js';
import { realFiles } from '../../src/platform/files.js';
import { parseCommand } from '../../src/toolchain/parse-command.js';
import type { Toolchain } from '../../src/toolchain/toolchain.js';
import { IncludeBench } from '../fixtures/include-bench.js';

const TOOLCHAIN: Toolchain = {
  digest: digestOf('gcc'),
  family: 'gcc',
  version: '12.2.0',
  target: 'x86_64-linux-gnu',
  compiler: '/usr/bin/gcc',
  name: 'gcc',
  driverBytes: 1,
  files: [],
};

class Bench extends IncludeBench {
  readonly #kept: KeptRecipes;
  readonly log: string[] = [];
  #writes = 0;
  /** What the compiler is identified as. */
  identified: Toolchain | DeclineReason = TOOLCHAIN;

  constructor(t: Test) {
    super(t);
    const log = (line: string) => this.log.push(line);
    this.#kept = new KeptRecipes(`${this.root}/state`, { files: realFiles, version: '1', log });
    this.write({ 'p.h': '#include "deep.h"\n', 'deep.h': 'extern int a;\n' });
  }

  /** As a session daemon has them when it begins. */
  headers(): PrecompiledHeaders {
    return new PrecompiledHeaders({
      files: realFiles,
      includes: this.server(false),
      compilerFiles: { of: () => [] },
      compilers: { identify: () => Promise.resolve(this.identified) },
      kept: this.#kept,
    });
  }

  command(line = '-O2 p.h', variables: readonly [string, string][] = []): HeaderCommand {
    const environment = new Map([['PATH', '/usr/bin'], ...variables]);
    const parsed = parseCommand({
      argv: ['gcc', ...line.split(' ')],
      cwd: this.root,
      environment,
      family: 'gcc',
      readResponseFile: () => undefined,
    });
    if (parsed.kind !== 'decline' || parsed.header === undefined) throw new Error('no header');
    return { command: parsed.header, toolchain: TOOLCHAIN, environment };
  }

  /** What the compiler does: another file each time. */
  leave(name = 'p.h.gch'): void {
    this.#writes++;
    writeFileSync(`${this.root}/${name}.new`, `${'x'.repeat(this.#writes)}\n`);
    renameSync(`${this.root}/${name}.new`, `${this.root}/${name}`);
  }

  async make(headers: PrecompiledHeaders, given = this.command()): Promise<void> {
    const compile = await headers.begin(given);
    this.leave();
    await compile?.end();
  }

  get path(): string {
    return `${this.root}/p.h.gch`;
  }
}

await t.test('what a compile here has left has a recipe', async (t) => {
  const bench = new Bench(t);
  const headers = bench.headers();
  t.equal(await headers.recipeOf(bench.path), undefined, 'nothing is there');
  await bench.make(headers);
  const recipe = await headers.recipeOf(bench.path);
  t.match(recipe, {
    path: bench.path,
    command: { source: 'p.h', output: null, options: [['-O', '2']] },
    program: '/usr/bin/gcc',
    cwd: bench.root,
    environment: [['PATH', '/usr/bin']],
  });
  const files = recipe?.closure.filter(({ kind }) => kind === 'file').map(({ path }) => path);
  t.strictSame(files?.map((path) => bench.below(path)).toSorted(), ['deep.h', 'p.h']);
  t.equal(await headers.recipeOf(bench.path), recipe, 'the same object as long as nothing changes');
  t.equal(recipe && headers.isStill(recipe), true);
});

await t.test(
  'it has none when it is not the file that was left, or a header has changed',
  async (t) => {
    const bench = new Bench(t);
    const headers = bench.headers();
    await bench.make(headers);
    const recipe = await headers.recipeOf(bench.path);
    bench.leave();
    t.equal(await headers.recipeOf(bench.path), undefined, 'another has put its own there');
    t.equal(recipe && headers.isStill(recipe), false);

    await bench.make(headers);
    t.ok(await headers.recipeOf(bench.path));
    bench.write({ 'deep.h': 'extern int another;\n' });
    t.equal(await headers.recipeOf(bench.path), undefined);
    t.ok(recipe);
  },
);

await t.test('a compile that fails leaves nothing to know', async (t) => {
  const bench = new Bench(t);
  const headers = bench.headers();
  await bench.make(headers);
  const compile = await headers.begin(bench.command());
  t.equal(await headers.recipeOf(bench.path), undefined, 'while it is made');
  await compile?.end();
  t.equal(await headers.recipeOf(bench.path), undefined);
  t.equal(await bench.headers().recipeOf(bench.path), undefined);
});

await t.test('whoever asks while its end is looked at waits for that', async (t) => {
  const bench = new Bench(t);
  const headers = bench.headers();
  const compile = await headers.begin(bench.command());
  bench.leave();
  const ending = compile?.end();
  t.ok(await headers.recipeOf(bench.path));
  await ending;
});

await t.test('nothing is learnt from a header that changed meanwhile', async (t) => {
  const bench = new Bench(t);
  const headers = bench.headers();
  const compile = await headers.begin(bench.command());
  bench.write({ 'deep.h': 'extern int another;\n' });
  bench.leave();
  await compile?.end();
  t.equal(await headers.recipeOf(bench.path), undefined);
});

await t.test('nor from two that write the same file at once', async (t) => {
  const bench = new Bench(t);
  const headers = bench.headers();
  const one = await headers.begin(bench.command());
  const other = await headers.begin(bench.command('-O1 p.h'));
  bench.leave();
  await one?.end();
  t.equal(await headers.recipeOf(bench.path), undefined);
  bench.leave();
  await other?.end();
  t.equal(await headers.recipeOf(bench.path), undefined);
  await bench.make(headers);
  t.ok(await headers.recipeOf(bench.path), 'the next is alone');
});

await t.test('one with the time in it is no other’s', async (t) => {
  const bench = new Bench(t).write({ 'deep.h': 'static const char *when = __TIME__;\n' });
  const headers = bench.headers();
  await bench.make(headers);
  t.equal(await headers.recipeOf(bench.path), undefined);
  await bench.make(headers, bench.command('-O2 p.h', [['SOURCE_DATE_EPOCH', '9']]));
  t.ok(await headers.recipeOf(bench.path));
});

await t.test('commands that servers cannot repeat are not begun', async (t) => {
  const bench = new Bench(t);
  const headers = bench.headers();
  t.equal(await headers.begin(bench.command('-I@x p.h')), undefined);
  t.equal(await headers.begin(bench.command('-O2 -o absent/p.h.gch -c p.h')), undefined);
  symlinkSync('elsewhere.gch', bench.path);
  t.ok(await headers.begin(bench.command()), 'a link to nothing is as good as nothing');
  bench.write({ 'elsewhere.gch': 'x' });
  t.equal(await headers.begin(bench.command()), undefined, 'a link');
  bench.write({ 'deep.h.gch': 'x' });
  t.equal(await headers.begin(bench.command('-O2 -o q.gch -c p.h')), undefined, 'one in another');
});

await t.test('a later daemon knows them, if all is as it was', async (t) => {
  const bench = new Bench(t);
  await bench.make(bench.headers());
  const recipe = await bench.headers().recipeOf(bench.path);
  t.match(recipe, { path: bench.path, command: { options: [['-O', '2']] } });
  const asked = bench.headers();
  const both = await Promise.all([asked.recipeOf(bench.path), asked.recipeOf(bench.path)]);
  t.ok(both[0]);
  t.equal(both[0], both[1], 'one recipe, whoever asks');

  bench.identified = { ...TOOLCHAIN, digest: digestOf('newer') };
  t.equal(await bench.headers().recipeOf(bench.path), undefined, 'another compiler');
  bench.identified = 'compiler-unknown';
  t.equal(await bench.headers().recipeOf(bench.path), undefined, 'none');
  bench.identified = TOOLCHAIN;
  t.ok(await bench.headers().recipeOf(bench.path));
  bench.write({ 'deep.h': 'extern int another;\n' });
  t.equal(await bench.headers().recipeOf(bench.path), undefined, 'another header');
  bench.write({ 'deep.h': 'extern int a;\n' });
  bench.leave();
  t.equal(await bench.headers().recipeOf(bench.path), undefined, 'another file');
  t.strictSame(bench.log, []);
});
