/**
 * `npm run bench:farm -- DIR`: a simulated farm. The compiles of a real build, recorded once, are
 * replayed by make through distcc and tscc on servers on this machine whose compilers do not
 * compute: they sleep as long as the real ones took and leave the recorded object. So eight hosts
 * fit in one, and what is measured is the distribution: who keeps the slots busy, at what cost.
 *
 *   node build/benchmarks/farm.js DIR [--project PLACE --build LINE] [--farm HOSTSxSLOTS]…
 *     [--jobs N] [--order longest|build] [--stretch FACTOR] [--runs N]
 *     [--rows NAME,…] [--distcc-pump BIN] [--output FILE]
 *
 * DIR keeps the recording; remove its recording.json to record anew. LINE is run by sh in PLACE and
 * must call compilers by name along PATH; its tree must stay as the build left it. Without them
 * LevelDB and Snappy are built with four sets of flags: 300 compiles. BIN is a directory with the
 * programs of a distcc whose pump mode works; without it PATH's `pump` or `distcc-pump` is tried.
 */
import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { drawFarms } from './farm-chart.js';
import { keptRecording, record, type Recording } from './farm-recording.js';
import { FarmReplay } from './farm-replay.js';
import { farmReport } from './farm-report.js';
import { ROW_NAMES, type FarmResult, type RowName } from './farm-run.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const BOUNDS = { hosts: 64, slots: 16 } as const;
/** The built-in project, once for each. */
const VARIANTS = { none: '-O0', size: '-Os', speed: '-O2', debug: '-O2 -g' } as const;

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function arguments_() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      project: { type: 'string' },
      build: { type: 'string' },
      farm: { type: 'string', multiple: true, default: ['8x3'] },
      jobs: { type: 'string' },
      order: { type: 'string', default: 'longest' },
      stretch: { type: 'string', default: '1' },
      runs: { type: 'string', default: '3' },
      rows: { type: 'string', default: ROW_NAMES.join(',') },
      'distcc-pump': { type: 'string' },
      output: { type: 'string' },
    },
  });
  const [directory] = positionals;
  if (directory === undefined || (values.project === undefined) !== (values.build === undefined)) {
    throw new Error('usage: npm run bench:farm -- DIR [--project PLACE --build LINE] [OPTION…]');
  }
  const rows = values.rows.split(',').map((name) => {
    const row = ROW_NAMES.find((known) => known === name);
    if (row === undefined) throw new Error(`--rows: ${name} is none of ${ROW_NAMES.join(', ')}`);
    return row;
  });
  const number = (name: string, text: string, most: number) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= 1 && value <= most) return value;
    throw new Error(`${name}: ${text} is no number from 1 to ${most}`);
  };
  const shapes = values.farm.map((text) => {
    const [hosts = '', slots = ''] = text.split('x');
    return {
      hosts: number('hosts of --farm', hosts, BOUNDS.hosts),
      slots: number('slots of --farm', slots, BOUNDS.slots),
    };
  });
  const { order } = values;
  if (order !== 'longest' && order !== 'build') {
    throw new Error(`--order: ${order} is neither longest nor build`);
  }
  const stretch = Number(values.stretch);
  if (!(stretch > 0)) throw new Error(`--stretch: ${values.stretch} is no factor`);
  const jobs = values.jobs === undefined ? undefined : number('--jobs', values.jobs, 4096);
  return {
    ...{
      directory: resolve(directory),
      order,
      stretch,
      project: values.project,
      build: values.build,
    },
    ...{ rows: new Set<RowName>(rows), shapes, jobs, runs: number('--runs', values.runs, 1000) },
    ...{ distccPump: values['distcc-pump'], output: values.output },
  };
}

/** The recording in the directory, made if there is none. */
function recordingOf(directory: string, project?: string, build?: string): Recording {
  const kept = keptRecording(directory);
  if (kept !== undefined) return kept;
  mkdirSync(directory, { recursive: true });
  if (project !== undefined && build !== undefined) {
    return record(directory, resolve(project), build, say);
  }
  const leveldown = dirname(createRequire(import.meta.url).resolve('leveldown/package.json'));
  const copies = `${directory}/project`;
  for (const variant of Object.keys(VARIANTS)) {
    if (existsSync(`${copies}/${variant}`)) continue;
    cpSync(`${leveldown}/deps`, `${copies}/${variant}`, { recursive: true });
    cpSync(`${root}benchmarks/demo-project.mk`, `${copies}/${variant}/Makefile`);
  }
  const lines = Object.entries(VARIANTS).map(
    ([variant, flags]) => `make -s -j2 -C ${variant} OPTIMIZE='${flags}' CC=gcc CXX=g++ objects`,
  );
  return record(directory, copies, ['set -e', ...lines].join('; '), say);
}

async function main(): Promise<void> {
  const given = arguments_();
  const { directory, order, stretch, project, build, rows, shapes, jobs, runs, output } = given;
  const kept = recordingOf(directory, project, build);
  const inOrder =
    order === 'build' ? kept.compiles : kept.compiles.toSorted((a, b) => b.cpu - a.cpu);
  const compiles = inOrder.map((compile) => ({ ...compile, cpu: compile.cpu * stretch }));
  const recording = { ...kept, compiles };
  const farms: FarmResult[] = [];
  for (const shape of shapes) {
    const { hosts, slots } = shape;
    const replay = new FarmReplay(directory, recording, given.distccPump, say);
    farms.push(
      await replay.measure({ hosts, slots, jobs: jobs ?? hosts * (slots + 1) }, rows, runs),
    );
    if (output === undefined) continue;
    // After each: a campaign that is broken off has left those that it did.
    writeFileSync(`${output}.json`, `${JSON.stringify(farms, null, 2)}\n`);
    writeFileSync(`${output}.md`, farmReport(recording, farms, { runs, stretch }));
    writeFileSync(`${output}.svg`, drawFarms(farms));
  }
  say(`\n${farmReport(recording, farms, { runs, stretch })}`);
}

await main();
