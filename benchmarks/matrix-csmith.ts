/**
 * `npm run matrix:csmith -- DIR [--programs N] [--seed S] [--missing] [--minutes N]`: programs that
 * csmith makes up, each by both compilers under several sets of flags, compiled here and through tscc
 * at the same paths. Everything that is seen of a compile must be the same. The last run is kept in
 * benchmarks/results/csmith.md; --missing and --minutes do a part of it, as in matrix.ts. Ends with
 * status 1 when anything differs.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { PART_OPTIONS, partOf, type Part } from './campaign-part.js';
import { TwinCampaign, type Compile } from './twin-campaign.js';
import { isClean, rowOf, TwinResults } from './twin-results.js';

const FLAGS = [
  '-O0 -g',
  '-O2 -Wall -Wextra',
  '-O3 -g -gsplit-dwarf -fstack-usage',
  '-Os -flto -frandom-seed=csmith',
  '-O1 --coverage -frandom-seed=csmith',
];

/** What programs are made of, in turn. */
const KINDS = [
  [],
  ['--float', '--builtins'],
  ['--packed-struct', '--bitfields', '--unions'],
  ['--max-funcs', '20', '--inline-function', '--volatile-pointers'],
];

function program(directory: string, seed: number): string {
  const name = `program${seed}.c`;
  if (!existsSync(`${directory}/${name}`)) {
    const kind = KINDS[seed % KINDS.length] ?? [];
    const args = ['--seed', String(seed), '--output', name, ...kind];
    execFileSync('csmith', args, { cwd: directory, stdio: 'ignore', timeout: 60_000 });
  }
  return name;
}

async function main(
  directory: string,
  programs: number,
  first: number,
  { missing, minutes }: Part,
): Promise<void> {
  const until = performance.now() + minutes * 60_000;
  const sources = `${directory}/csmith`;
  mkdirSync(sources, { recursive: true });
  const names = Array.from({ length: programs }, (_, n) => program(sources, first + n));
  const results = new TwinResults(
    'csmith',
    `# Programs of csmith, compiled here and through tscc

Made by \`npm run matrix:csmith -- DIR --programs ${programs} --seed ${first}\`, which explains itself in
benchmarks/matrix-csmith.ts.
`,
    `programs ${first} to ${first + programs - 1}`,
  );
  const cases = FLAGS.flatMap((flags) => ['gcc', 'clang'].map((compiler) => ({ compiler, flags })));
  const order = cases.map(({ compiler, flags }) => `${compiler} ${flags}`);
  const campaign = await TwinCampaign.start(`${directory}/csmith-out`);
  try {
    for (const [at, { compiler, flags }] of cases.entries()) {
      if (performance.now() > until) break;
      if (missing && results.rows.has(order[at] ?? '')) continue;
      const compiles = names.map((source): Compile => ({
        name: source,
        compiler,
        cwd: sources,
        words: ['-I/usr/include/csmith', '-MD', ...flags.split(' '), '-c', source],
        output: source.replace(/c$/, 'o'),
      }));
      const title = order[at] ?? '';
      const row = rowOf(await campaign.compare(title.replaceAll(' ', ''), compiles));
      results.add(title, row);
      if (!isClean(row)) process.exitCode = 1;
      results.write(order);
    }
  } finally {
    await campaign.stop();
  }
  process.stdout.write(results.write(order));
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { programs: { type: 'string' }, seed: { type: 'string' }, ...PART_OPTIONS },
});
const [directory] = positionals;
if (directory === undefined) {
  process.stdout.write(
    'usage: npm run matrix:csmith -- DIR [--programs N] [--seed S] [--missing] [--minutes N]\n',
  );
  process.exitCode = 2;
} else {
  await main(
    resolve(directory),
    Number(values.programs ?? 20),
    Number(values.seed ?? 1),
    partOf(values),
  );
}
