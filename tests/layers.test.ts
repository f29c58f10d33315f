import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const src = fileURLToPath(new URL('../../src', import.meta.url));

/** Layer → the layers it may import besides itself. Those it may import are its lower ones. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  platform: [],
  core: ['platform'],
  toolchain: ['platform', 'core'],
  protocol: ['platform', 'core', 'toolchain'],
  'include-server': ['platform', 'core', 'toolchain', 'protocol'],
  report: ['platform', 'core', 'toolchain', 'protocol', 'include-server'],
  client: ['platform', 'core', 'toolchain', 'protocol', 'include-server', 'report'],
  server: ['platform', 'core', 'toolchain', 'protocol', 'include-server', 'report'],
  cli: [
    'platform',
    'core',
    'toolchain',
    'protocol',
    'include-server',
    'report',
    'client',
    'server',
  ],
};

/** Only these touch the file system, processes or sockets by themselves; others are given them. */
const GATES = [
  /^platform\//,
  /^cli\//,
  /^client\/(session-daemon-main|dial|live-page|own-socket)\.ts$/,
  /^protocol\/(control|key-file)\.ts$/,
  /^server\/(access|adoptable-files|blob-files|blob-store|gate|host-facts|job-directory|job-output|job-users|runner|scratch|server|server-directory|source-receiver|status-endpoint|toolchains|tree-layer|tree-whiteouts)\.ts$/,
  /^server\/(job-root|pump-service|sandbox)\.ts$/,
];
const SIDE_EFFECTS = /^node:(fs|fs\/promises|child_process|net|tls|http|dgram)$/;

interface Import {
  readonly file: string;
  readonly specifier: string;
  readonly typeOnly: boolean;
  /** By `import()`, when it is needed. */
  readonly isLate: boolean;
}

function importsOf(file: string): Import[] {
  const text = readFileSync(`${src}/${file}`, 'utf8');
  const pattern = /(?:import|export)\s+(type\s)?[^;]*?from\s+'([^']+)'|import\(\s*'([^']+)'\s*\)/g;
  return [...text.matchAll(pattern)].map((match) => ({
    file,
    specifier: match[2] ?? match[3] ?? '',
    typeOnly: match[1] !== undefined,
    isLate: match[3] !== undefined,
  }));
}

const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.ts'),
);
const imports = files.flatMap(importsOf);

function layerOf(path: string): string {
  return path.split('/')[0] ?? '';
}

await t.test('every folder of src is a layer', async (t) => {
  const folders = new Set(files.map(layerOf));
  t.strictSame(
    [...folders].filter((folder) => !(folder in MAY_IMPORT)),
    [],
  );
});

await t.test('imports point down', async (t) => {
  const wrong = imports.flatMap(({ file, specifier }) => {
    if (!specifier.startsWith('.')) return [];
    const target = new URL(specifier, `file:///${file}`).pathname.slice(1);
    const [from, to] = [layerOf(file), layerOf(target)];
    return from === to || MAY_IMPORT[from]?.includes(to) === true ? [] : [`${file} → ${target}`];
  });
  t.ok(imports.length > 100, 'the pattern finds imports at all');
  t.strictSame(wrong, []);
});

await t.test('side effects enter through the gates', async (t) => {
  const wrong = imports.filter(
    ({ file, specifier, typeOnly }) =>
      !typeOnly && SIDE_EFFECTS.test(specifier) && !GATES.some((gate) => gate.test(file)),
  );
  t.strictSame(
    wrong.map(({ file, specifier }) => `${file} imports ${specifier}`),
    [],
  );
});

/** Packages and files that only some runs need. */
const LATE =
  /^(yargs|pino|prom-client|smol-toml|node:http)$|\/(tsccd-status|metrics|status-endpoint|live-page)\.js$/;
/** Not part of a start that does not need them: imported late itself, or a program of its own. */
const LATE_FILES =
  /^(server\/(metrics|status-endpoint)|client\/live-page|cli\/(tsccd-status|main))\.ts$/;

await t.test('what only some runs need is loaded by these', async (t) => {
  const asked = imports.filter(({ specifier, typeOnly }) => !typeOnly && LATE.test(specifier));
  t.ok(asked.length > 6, 'the pattern finds them at all');
  const early = asked.filter(({ file, isLate }) => !isLate && !LATE_FILES.test(file));
  t.strictSame(
    early.map(({ file, specifier }) => `${file} imports ${specifier}`),
    [],
  );
});

await t.test('files are of a size that can be read at one sitting', async (t) => {
  const long = files.filter((file) => {
    const lines = readFileSync(`${src}/${file}`, 'utf8').split('\n').length;
    return lines > 400 && !file.endsWith('.generated.ts');
  });
  t.strictSame(long, []);
});
