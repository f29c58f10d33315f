/**
 * `npm run matrix -- DIR [--missing] [--minutes N] [WORD…]`: translation units of real projects, by
 * gcc and Clang, under many sets of flags, each compiled here and through tscc at the same paths.
 * Object, dependency file, every file beside them, words and exit status must be the same. WORDs
 * name projects, compilers and variants, and leave only theirs; --missing leaves those of which there
 * is no result yet; after N minutes no more is begun. The last run of each is kept in
 * benchmarks/results/matrix.json, the table beside it, both versions of what differs below
 * DIR/matrix-out/different. Ends with status 1 when anything differs.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { PART_OPTIONS, partOf, type Part } from './campaign-part.js';
import { MATRIX_PROJECTS, unitsOf, type MatrixProject, type Unit } from './matrix-projects.js';
import { flagsOf, VARIANTS, type Variant } from './matrix-variants.js';
import { TwinCampaign, type Compile } from './twin-campaign.js';
import { isClean, rowOf, TwinResults } from './twin-results.js';

const COMPILERS = { gcc: ['gcc', 'g++'], clang: ['clang', 'clang++'] } as const;
type Compiler = keyof typeof COMPILERS;

const HEAD = `# The same result as the local compiler

Made by \`npm run matrix -- DIR\`. Each translation unit is compiled twice at the same paths, by the
compiler and by \`tscc\` on eight servers at 127.0.0.1–127.0.0.8 in pump mode, with \`-Wall -Wextra -MD\` and
the flags of the variant. Identical: every file that was written and its mode, standard output and error,
and the exit status. \`--coverage\` and \`-flto\` differ between two local compiles too, and have a
\`-frandom-seed\` of the campaign's own. So does the DWO ID that GCC 12 makes when it optimises with
\`-gsplit-dwarf\`, for which no option of the kind helps: it is left out where two local compiles differ in it.
`;

interface Case {
  readonly project: MatrixProject;
  readonly compiler: Compiler;
  readonly variant: Variant;
  readonly title: string;
}

const CASES: readonly Case[] = MATRIX_PROJECTS.flatMap((project) =>
  (Object.keys(COMPILERS) as Compiler[]).flatMap((compiler) =>
    VARIANTS.map((variant) => ({
      project,
      compiler,
      variant,
      title: `${project.title}, ${compiler} ${variant.name}`,
    })),
  ),
);

function compileOf(unit: Unit, { compiler, variant }: Case): Compile {
  const { cwd, source, isCxx, flags } = unit;
  const chosen = flagsOf(variant, isCxx);
  const isAssembly = chosen.includes('-S');
  const stage = isAssembly ? [] : ['-c'];
  const stem = source.slice(source.lastIndexOf('/') + 1, source.lastIndexOf('.'));
  return {
    name: source.replaceAll('/', '_'),
    compiler: COMPILERS[compiler][isCxx ? 1 : 0],
    cwd,
    words: ['-Wall', '-Wextra', '-MD', ...flags, ...chosen, ...stage, source],
    output: `${stem}.${isAssembly ? 's' : 'o'}`,
  };
}

/** Those that have a word of every kind of which there is one. */
function casesOf(words: readonly string[]): readonly Case[] {
  const kinds = [
    MATRIX_PROJECTS.map(({ name }) => name),
    Object.keys(COMPILERS),
    VARIANTS.map(({ name }) => name),
  ].map((names) => ({ names, wanted: words.filter((word) => names.includes(word)) }));
  const unknown = words.filter((word) => kinds.every(({ names }) => !names.includes(word)));
  if (unknown.length > 0) {
    const known = kinds.map(({ names }) => names.join(', ')).join('; ');
    throw new Error(`unknown: ${unknown.join(', ')}; there are ${known}`);
  }
  return CASES.filter(({ project, compiler, variant }) =>
    [project.name, compiler, variant.name].every((name, at) => {
      const wanted = kinds[at]?.wanted ?? [];
      return wanted.length === 0 || wanted.includes(name);
    }),
  );
}

async function main(
  directory: string,
  words: readonly string[],
  { missing, minutes }: Part,
): Promise<void> {
  const results = new TwinResults('matrix', HEAD);
  const order = CASES.map(({ title }) => title);
  const until = performance.now() + minutes * 60_000;
  const cases = casesOf(words).filter(({ title }) => !missing || !results.rows.has(title));
  const campaign = await TwinCampaign.start(`${directory}/matrix-out`);
  try {
    for (const one of cases) {
      if (performance.now() > until) break;
      const compiles = unitsOf(one.project, directory).map((unit) => compileOf(unit, one));
      const row = rowOf(await campaign.compare(one.title.replaceAll(/[^\w.-]+/g, '-'), compiles));
      results.add(one.title, row);
      const { pump, different } = row;
      process.stdout.write(
        `${one.title}: ${compiles.length} compiles, ${pump} pump, ${different.length} differ\n`,
      );
      for (const line of different) process.stdout.write(`  ${line}\n`);
      if (!isClean(row)) process.exitCode = 1;
      results.write(order);
    }
  } finally {
    await campaign.stop();
  }
  process.stdout.write(`\n${results.write(order)}`);
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: PART_OPTIONS,
});
const [directory, ...words] = positionals;
if (directory === undefined) {
  process.stdout.write('usage: npm run matrix -- DIR [--missing] [--minutes N] [WORD…]\n');
  process.exitCode = 2;
} else {
  await main(resolve(directory), words, partOf(values));
}
