/** The translation units that `npm run matrix` compiles. */
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { fetchSources } from './fetch-sources.js';
import { BOOST_SOURCES, EIGEN_SOURCES } from './matrix-heavy-sources.js';
import type { Project } from './project-list.js';

export interface MatrixProject {
  readonly name: string;
  readonly title: string;
  /** A project's; or contents by name. */
  readonly from:
    Project['source'] | { readonly kind: 'here'; readonly files: Readonly<Record<string, string>> };
  /** A line of shell that makes what is generated. */
  readonly prepare?: string;
  /** Of the names below the project's directory. */
  readonly sources: RegExp;
  readonly flags: string;
}

export const MATRIX_PROJECTS: readonly MatrixProject[] = [
  {
    name: 'lua',
    title: 'Lua 5.4',
    from: { kind: 'debian', package: 'lua5.4' },
    sources: /^src\/\w+\.c$/,
    flags: '-DLUA_COMPAT_5_3 -DLUA_USE_LINUX',
  },
  {
    name: 'zlib',
    title: 'zlib',
    from: { kind: 'debian', package: 'zlib' },
    prepare: './configure',
    sources: /^(\w+|test\/\w+|examples\/\w+|contrib\/minizip\/(?!iowin32)\w+)\.c$/,
    flags: '-I. -D_LARGEFILE64_SOURCE=1 -DHAVE_HIDDEN',
  },
  {
    name: 'sqlite',
    title: 'SQLite',
    from: { kind: 'debian', package: 'sqlite3' },
    prepare:
      './configure --disable-tcl --disable-readline && ' +
      'make sqlite3.h parse.c opcodes.h opcodes.c keywordhash.h',
    sources:
      /^(parse|opcodes|src\/(?!test|tclsqlite)\w+|ext\/(misc\/(?!memtrace)|fts3\/(?!fts3_test)|rtree\/rtree$|rbu\/|session\/sqlite3)\w*)\.c$/,
    flags:
      '-I. -Isrc -Iext/rtree -Iext/fts3 -D_HAVE_SQLITE_CONFIG_H -DBUILD_sqlite -DNDEBUG ' +
      '-DSQLITE_THREADSAFE=1 -DSQLITE_ENABLE_MATH_FUNCTIONS -DSQLITE_ENABLE_FTS4 -DSQLITE_ENABLE_RTREE',
  },
  {
    name: 'demo',
    title: 'LevelDB 1.20 and Snappy',
    from: { kind: 'npm', package: 'leveldown' },
    sources:
      /^(leveldb\/leveldb-1\.20\/(db|table|util|helpers\/memenv|issues|port)\/(?!env_win)\w+\.(cc|c)|snappy\/snappy\/snappy(-sinksource|-stubs-internal|-c)?\.cc)$/,
    flags:
      '-Ileveldb/leveldb-1.20 -Ileveldb/leveldb-1.20/include -Isnappy/linux -Isnappy/snappy ' +
      '-DLEVELDB_PLATFORM_POSIX=1 -DOS_LINUX=1 -DSNAPPY=1 -DHAVE_CONFIG_H=1 -pthread',
  },
  {
    name: 'googletest',
    title: 'googletest',
    from: { kind: 'debian', package: 'googletest' },
    sources: /^google(test\/(src|samples)|mock\/src)\/(?!g(test|mock)-all)[\w-]+\.cc$/,
    flags: '-Igoogletest/include -Igoogletest -Igooglemock/include -Igooglemock -pthread',
  },
  {
    name: 'boost',
    title: 'Boost',
    from: { kind: 'here', files: BOOST_SOURCES },
    sources: /\.cc$/,
    flags: '',
  },
  {
    name: 'eigen',
    title: 'Eigen',
    from: { kind: 'here', files: EIGEN_SOURCES },
    sources: /\.cc$/,
    flags: '-I/usr/include/eigen3',
  },
];

export interface Unit {
  readonly cwd: string;
  /** As the command names it, relative to the project. */
  readonly source: string;
  readonly isCxx: boolean;
  readonly flags: readonly string[];
}

/** The project's units, after its first preparation below `directory`. */
export function unitsOf(project: MatrixProject, directory: string): readonly Unit[] {
  const cwd = `${directory}/matrix/${project.name}`;
  if (!existsSync(cwd)) prepare(project, directory, cwd);
  const flags = project.flags.split(' ').filter((flag) => flag !== '');
  return readdirSync(cwd, { recursive: true, encoding: 'utf8' })
    .filter((name) => project.sources.test(name))
    .toSorted()
    .map((source) => ({ cwd, source, isCxx: source.endsWith('.cc'), flags }));
}

function prepare({ name, from, prepare }: MatrixProject, directory: string, cwd: string): void {
  const begun = `${cwd}.begun`;
  rmSync(begun, { recursive: true, force: true });
  mkdirSync(begun, { recursive: true });
  if (from.kind === 'here') {
    for (const [file, text] of Object.entries(from.files)) writeFileSync(`${begun}/${file}`, text);
  } else {
    cpSync(fetchSources({ name, source: from }, directory), begun, { recursive: true });
  }
  if (prepare !== undefined) execFileSync('sh', ['-c', prepare], { cwd: begun, stdio: 'ignore' });
  renameSync(begun, cwd);
}
