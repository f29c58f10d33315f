import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { readSettings } from '../../src/client/settings.js';
import { EXIT } from '../../src/core/errors.js';
import { socketDirectory, stateDirectories } from '../../src/protocol/state-paths.js';
import { without } from '../fixtures/tools.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const pages = readdirSync(`${root}docs/man`).map((name) => `docs/man/${name}`);

function page(name: string): string {
  return readFileSync(`${root}docs/man/${name}.1`, 'utf8');
}

/** Lines of one section of a page. */
function section(text: string, title: string): string {
  const [, rest] = text.split(`.Sh ${title}\n`);
  if (rest === undefined) throw new Error(`the page has no section ${title}`);
  return rest.split('\n.Sh ')[0] ?? '';
}

/** Options in the headings of a page's list, as they are typed. */
function documentedOptions(text: string): string[] {
  const headings = section(text, 'OPTIONS')
    .split('\n')
    .filter((line) => line.startsWith('.It Fl'));
  return headings.flatMap((line) => [...line.matchAll(/(?:Fl|,) (-?[a-z-]+)/g)].map(dashed));
}

const dashed = (match: RegExpExecArray) => `-${match[1]}`;

/** Options that a `--help` lists. */
function listedOptions(help: string): string[] {
  const lines = help.split('\n').filter((line) => /^ {2,6}-/.test(line));
  return lines.flatMap((line) =>
    [...line.matchAll(/(?<=^ {2,6}|, )--?[a-z][a-z-]*/g)].join().split(','),
  );
}

/** What a program prints, without tap's hook (see RUN_TSCCD). */
function print(program: string, ...words: string[]): string {
  const node = ['-u', 'NODE_OPTIONS', process.execPath];
  return execFileSync('/usr/bin/env', [...node, `${root}${program}`, ...words], {
    encoding: 'utf8',
  });
}

const numbersIn = (text: string) =>
  [...text.matchAll(/^\.It (1\d\d)$/gm)].map((match) => Number(match[1]));

await t.test('package.json lists every page', async (t) => {
  const { man } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { man: string[] };
  t.strictSame(man.toSorted(), pages.toSorted());
});

await t.test('groff has nothing to say', { skip: without('groff') }, async (t) => {
  for (const name of pages) {
    const words = ['-c', 'exec groff -ww -z -b -mdoc -Tutf8 "$1" 2>&1', 'sh', `${root}${name}`];
    t.equal(execFileSync('sh', words, { encoding: 'utf8' }), '', name);
  }
});

await t.test('options are those of --help', async (t) => {
  const programs: [name: string, program: string][] = [
    ['tsccd', 'build/src/cli/tsccd.js'],
    ['tscc', 'build/src/cli/main.js'],
  ];
  for (const [name, program] of programs) {
    const listed = listedOptions(print(program, '--help'));
    t.ok(listed.length > 4, 'some were found');
    t.strictSame(documentedOptions(page(name)).toSorted(), listed.toSorted(), name);
  }
});

await t.test('subcommands and their options are those of --help', async (t) => {
  const help = print('build/src/cli/main.js', '--help');
  const common = listedOptions(help);
  const commands = [...help.matchAll(/^ {2}tscc ([a-z]+)(?: <([a-z]+)>)?/gm)];
  t.ok(commands.length > 4, 'some were found');
  const text = section(page('tscc'), 'SUBCOMMANDS');
  const headings = [...text.matchAll(/^\.It Cm ([a-z]+)(?: Ar ([a-z]+))?$/gm)];
  const named = (matches: RegExpExecArray[]) => matches.map(([, name, word]) => [name, word]);
  t.strictSame(named(headings), named(commands));
  for (const [, name = ''] of commands) {
    if (name === 'completion') continue;
    const own = listedOptions(print('build/src/cli/main.js', name, '--help'));
    const entry = text.split(`.It Cm ${name}`)[1]?.split('\n.It ')[0] ?? '';
    const documented = [...entry.matchAll(/Fl (-[a-z-]+)/g)].map(dashed);
    const special = own.filter((option) => !common.includes(option));
    t.strictSame(documented.toSorted(), special.toSorted(), name);
  }
});

/** An environment that notes which variables are asked for. */
class AskedFor extends Map<string, string> {
  readonly names = new Set<string>();

  override get(name: string): undefined {
    this.names.add(name);
    return undefined;
  }
}

await t.test('environment variables are those that are read', async (t) => {
  const asked = new AskedFor();
  readSettings(asked);
  const environment = new Proxy({}, { get: (_, name) => void asked.names.add(String(name)) });
  stateDirectories(
    environment,
    socketDirectory(environment, 0, () => true),
  );
  const read = [...asked.names].filter((name) => !name.startsWith('DISTCC_'));
  const old = [...asked.names].filter((name) => name.startsWith('DISTCC_'));

  const text = section(page('tscc'), 'ENVIRONMENT');
  const headings = text.split('\n').filter((line) => line.startsWith('.It Ev'));
  const documented = headings.flatMap((line) => line.match(/[A-Z_]{4,}/g) ?? []);
  t.strictSame(documented.filter((name) => name !== 'PATH').toSorted(), read.toSorted());
  const marked = headings
    .filter((line) => line.endsWith(' *'))
    .join()
    .match(/(?<=TSCC_)[A-Z_]+/g);
  t.strictSame(marked?.toSorted(), old.map((name) => name.slice('DISTCC_'.length)).toSorted());

  const readme = readFileSync(`${root}README.md`, 'utf8')
    .match(/^\| `TSCC_.*? \|/gm)
    ?.join();
  t.strictSame(
    readme?.match(/TSCC_[A-Z_]+/g)?.toSorted(),
    read.filter((name) => name.startsWith('TSCC_')).toSorted(),
    'those of the README too',
  );
});

await t.test('exit codes are those of the program', async (t) => {
  t.strictSame(numbersIn(section(page('tscc'), 'EXIT STATUS')), Object.values(EXIT));
  for (const name of ['tsccd', 'tscc-pump']) {
    const numbers = numbersIn(section(page(name), 'EXIT STATUS'));
    t.ok(numbers.length > 2);
    t.strictSame(
      numbers.filter((number) => !(Object.values(EXIT) as number[]).includes(number)),
      [],
      name,
    );
  }
});
