/**
 * `npm run matrix:diagnostics -- DIR [--sources N] [--seed S] [--missing] [--minutes N]`: what
 * compilers say. N real sources made wrong in one place each, and small ones that warnings are known
 * for, by both compilers with options and environments that change words, colours, columns and exit
 * status, compiled here and through tscc at the same paths. The last run is kept in
 * benchmarks/results/diagnostics.md; --missing and --minutes do a part of it, as in matrix.ts. Ends
 * with status 1 when words, status or a file differ, or when a command ran more than once.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { SeededRandom } from '../tests/fixtures/seeded-random.js';
import { MATRIX_PROJECTS, unitsOf, type Unit } from './matrix-projects.js';
import { MUTATIONS } from './source-mutations.js';
import { PART_OPTIONS, partOf, type Part } from './campaign-part.js';
import { TwinCampaign, type Compile } from './twin-campaign.js';
import { isClean, rowOf, TwinResults } from './twin-results.js';
import { BROKEN_HEADER, WARNING_SOURCES } from './warning-sources.js';

interface Manner {
  readonly flags: string;
  readonly env?: Readonly<Record<string, string>>;
}

const WARNINGS = '-O2 -Wall -Wextra';
const BOTH: readonly Manner[] = [
  { flags: WARNINGS },
  { flags: '-Wall -Wextra -Werror -MD' },
  { flags: `${WARNINGS} -fdiagnostics-color=always` },
  { flags: '-O1 -Wall -pedantic-errors -Wformat=2 -Wconversion -Wshadow' },
  { flags: WARNINGS, env: { LC_ALL: '', LANG: 'C.UTF-8' } },
  { flags: `${WARNINGS} -fmessage-length=60 -Wno-error` },
  { flags: '-w -g' },
];
const MANNERS: Readonly<Record<string, readonly Manner[]>> = {
  gcc: [
    ...BOTH,
    { flags: '-Wall -Wextra -fdiagnostics-format=json' },
    { flags: `${WARNINGS} -fmax-errors=1`, env: { LC_ALL: 'C.UTF-8', LANGUAGE: 'de' } },
    { flags: '-Wall -fdiagnostics-plain-output' },
    {
      flags:
        '-Wall -fdiagnostics-urls=always -fdiagnostics-parseable-fixits -fno-diagnostics-show-caret',
    },
    {
      flags:
        '-Wall -fdiagnostics-color=always -fdiagnostics-show-template-tree -fdiagnostics-generate-patch',
      env: { GCC_COLORS: 'error=01;35:warning=01;36', COLUMNS: '50' },
    },
  ],
  clang: [
    ...BOTH,
    { flags: '-Wall -ferror-limit=1 -fdiagnostics-format=vi' },
    { flags: '-Weverything -fdiagnostics-show-template-tree -fdiagnostics-show-category=name' },
    {
      flags:
        '-Wall -fdiagnostics-parseable-fixits -fno-caret-diagnostics -fdiagnostics-absolute-paths',
    },
  ],
};
/** Units of these are small and of many kinds. */
const MUTATED = new Set(['lua', 'zlib', 'sqlite', 'demo', 'googletest']);

/** Each small source is compiled in one manner of as many. */
const EVERY = 5;

interface Source {
  readonly name: string;
  readonly isCxx: boolean;
  readonly flags: readonly string[];
  readonly cwd: string;
}

function mutate(units: readonly Unit[], number: number, random: SeededRandom, cwd: string): Source {
  for (;;) {
    const { cwd: project, source, flags, isCxx } = random.pick(units);
    const [kind, mutation] = random.pick(Object.entries(MUTATIONS));
    const text = mutation(readFileSync(`${project}/${source}`, 'latin1'), random);
    if (text === undefined) continue;
    const slash = source.lastIndexOf('/');
    const name = `${String(number).padStart(4, '0')}-${kind}-${source.slice(slash + 1)}`;
    writeFileSync(`${cwd}/${name}`, Buffer.from(text, 'latin1'));
    const there = flags.map((flag) => flag.replace(/^-I(?=[^/])/, `-I${project}/`));
    const around = `-I${project}/${source.slice(0, Math.max(0, slash))}`;
    return { name, isCxx, flags: [...there, around], cwd };
  }
}

function writeSources(directory: string, count: number, seed: number) {
  const cwd = `${directory}/diagnostics`;
  rmSync(cwd, { recursive: true, force: true });
  mkdirSync(cwd, { recursive: true });
  writeFileSync(`${cwd}/broken.h`, BROKEN_HEADER);
  const typical = WARNING_SOURCES.map(({ name, text }): Source => {
    writeFileSync(`${cwd}/${name}`, text);
    return { name, isCxx: name.endsWith('.cc'), flags: [], cwd };
  });
  const units = MATRIX_PROJECTS.filter(({ name }) => MUTATED.has(name)).map((project) =>
    unitsOf(project, directory),
  );
  const random = new SeededRandom(seed);
  const mutated = Array.from({ length: count }, (_, n) =>
    mutate(random.pick(units), n, random, cwd),
  );
  return { typical, mutated };
}

async function main(
  directory: string,
  count: number,
  seed: number,
  { missing, minutes }: Part,
): Promise<void> {
  const until = performance.now() + minutes * 60_000;
  const { typical, mutated } = writeSources(directory, count, seed);
  const results = new TwinResults(
    'diagnostics',
    `# What compilers say, here and through tscc

Made by \`npm run matrix:diagnostics -- DIR --sources ${count} --seed ${seed}\`: ${count} real sources made wrong or
doubtful in one place each, and ${typical.length} small ones that warnings are known for. Every small source is
compiled in one manner of ${EVERY}, every mutated one in one manner for each compiler. The same: words, exit
status, files; and the journal has one line about each command: what fails there runs here once.
`,
    `${count} sources of seed ${seed}`,
  );
  const cases = Object.entries(MANNERS).flatMap(([compiler, manners]) =>
    manners.map((manner, at) => {
      const named = Object.entries(manner.env ?? {}).map(([name, value]) => `${name}='${value}' `);
      const usual = typical.filter((_, n) => n % EVERY === at % EVERY);
      const turn = mutated.filter((_, n) => n % manners.length === at);
      return {
        compiler,
        manner,
        title: `${named.join('')}${compiler} ${manner.flags}`,
        sources: [...usual, ...turn],
      };
    }),
  );
  const order = cases.map(({ title }) => title);
  const campaign = await TwinCampaign.start(`${directory}/diagnostics-out`);
  try {
    for (const { compiler, manner, title, sources } of cases) {
      if (performance.now() > until) break;
      if (missing && results.rows.has(title)) continue;
      const compiles = sources.map(({ name, isCxx, flags, cwd }): Compile => ({
        name,
        compiler: isCxx ? ({ gcc: 'g++', clang: 'clang++' }[compiler] ?? compiler) : compiler,
        cwd,
        words: [...flags, ...manner.flags.split(' '), '-c', name],
        output: name.replace(/cc?$/, 'o'),
        ...(manner.env === undefined ? {} : { env: manner.env }),
      }));
      const row = rowOf(await campaign.compare(title.replaceAll(/[^\w.-]+/g, '-'), compiles));
      results.add(title, row);
      process.stdout.write(`${title}: ${row.compiles} compiles, ${row.different.length} differ\n`);
      for (const line of row.different) process.stdout.write(`  ${line}\n`);
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
  options: { sources: { type: 'string' }, seed: { type: 'string' }, ...PART_OPTIONS },
});
const [directory] = positionals;
if (directory === undefined) {
  process.stdout.write(
    'usage: npm run matrix:diagnostics -- DIR [--sources N] [--seed S] [--missing] [--minutes N]\n',
  );
  process.exitCode = 2;
} else {
  await main(
    resolve(directory),
    Number(values.sources ?? 500),
    Number(values.seed ?? 1),
    partOf(values),
  );
}
