// `npm run package [-- --with-node[=PATH]] [--output DIR] [--compress xz|gz|none]`: one archive that
// runs where it is unpacked. Same input, same bytes: names are sorted, times are the last commit's
// (or SOURCE_DATE_EPOCH), owners are 0, and nothing of this host's paths is in it.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { bundledModules, filesOf, notices } from './bundled-modules.mjs';
import { compileNative, nativePrograms } from './native-programs.mjs';
import { Stage } from './package-stage.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));

/** Libraries that every host with a C++ compiler has; a node that wants others cannot be moved. */
const COMMON_LIBRARIES = /^(?:lib(?:c|m|dl|rt|pthread|gcc_s|stdc\+\+|atomic)\.so|ld-linux)/;

/** Programs that write an archive's bytes from tar's; both leave out time and name. */
const COMPRESSORS = {
  xz: { suffix: '.tar.xz', command: ['xz', '-6', '--threads=1', '-c'] },
  gz: { suffix: '.tar.gz', command: ['gzip', '-9', '-n', '-c'] },
  none: { suffix: '.tar', command: undefined },
};

/** Only what still has a source: an incremental tsc leaves the rest behind. */
function stageCode(stage) {
  const sources = readdirSync(`${root}src`, { recursive: true, encoding: 'utf8' });
  for (const name of sources.filter((name) => name.endsWith('.ts'))) {
    const script = `build/src/${name.replace(/\.ts$/, '.js')}`;
    const text = readFileSync(root + script, 'utf8');
    stage.write(script, text.replace(/\n\/\/# sourceMappingURL=.*\n?$/, '\n'));
  }
  // What pages are made of.
  for (const name of readdirSync(`${root}browser`).filter((name) => name.endsWith('.ts'))) {
    const script = `build/browser/${name.replace(/\.ts$/, '.js')}`;
    stage.copy(root + script, script);
  }
  stage.copy(`${root}browser/live.html`, 'browser/live.html');
  // Version and module type; what npm would do with it is nothing that a package does.
  const { name, description, license, type, engines } = JSON.parse(
    readFileSync(`${root}package.json`, 'utf8'),
  );
  const manifest = { name, version, description, license, private: true, type, engines };
  stage.write('package.json', `${JSON.stringify(manifest, null, 2)}\n`);
}

/** Answers whether all are static, which run on any distribution. */
function stageNative(stage) {
  const flags = [`-ffile-prefix-map=${root}=`, '-s'];
  const isStatic = Object.keys(nativePrograms).map((program) => {
    const target = stage.path(`bin/${program}`);
    const result = compileNative(program, target, flags);
    chmodSync(target, 0o755);
    return result;
  });
  for (const name of ['tsccd', 'tscc-pump']) symlinkSync('tscc', stage.path(`bin/${name}`));
  return isStatic.every(Boolean);
}

function stageModules(stage) {
  const modules = bundledModules(root);
  for (const one of modules) {
    for (const name of filesOf(root, one)) {
      stage.copy(`${root}${one.path}/${name}`, `${one.path}/${name}`);
    }
  }
  stage.write(
    'NOTICE',
    `tscc ${version} (LICENSE) comes with these packages, below node_modules:\n\n` +
      `${notices(root, modules)}\n`,
  );
  return modules;
}

function stageDocuments(stage) {
  for (const name of ['LICENSE', 'README.md', 'CHANGELOG.md']) stage.copy(root + name, name);
  stage.copyTree(`${root}docs/man`, 'share/man/man1');
  for (const name of readdirSync(`${root}docs`).filter((name) => name.endsWith('.md'))) {
    stage.copy(`${root}docs/${name}`, `docs/${name}`);
  }
  stage.copyTree(`${root}docs/pictures`, 'docs/pictures');
  if (existsSync(`${root}contrib`)) stage.copyTree(`${root}contrib`, 'contrib');
  for (const [shell, name] of [
    ['bash', 'share/bash-completion/completions/tscc'],
    ['zsh', 'share/zsh/site-functions/_tscc'],
  ]) {
    const env = { PATH: process.env.PATH, SHELL: `/bin/${shell}` };
    const script = [`${root}build/src/cli/main.js`, 'completion'];
    stage.write(name, execFileSync(process.execPath, script, { env, encoding: 'utf8' }));
  }
}

/** Node itself, and its license. Throws when it would not run elsewhere. */
function stageNode(stage, given) {
  const node = realpathSync(given);
  const headers = spawnSync('readelf', ['-d', node], { encoding: 'utf8' });
  if (headers.status !== 0) throw new Error(`readelf cannot read ${node}; install binutils`);
  const needed = [...headers.stdout.matchAll(/\(NEEDED\).*\[(.*)\]/g)].map(([, name]) => name);
  const rare = needed.filter((name) => !COMMON_LIBRARIES.test(name));
  if (rare.length > 0) {
    throw new Error(
      `${node} needs ${rare.join(', ')}, which other hosts may lack: ` +
        'give one from nodejs.org with --with-node=PATH',
    );
  }
  const home = dirname(dirname(node));
  const license = ['LICENSE', 'share/doc/nodejs/LICENSE', 'share/doc/nodejs/copyright']
    .map((name) => `${home}/${name}`)
    .find(existsSync);
  if (license === undefined) {
    throw new Error(`no license of ${node} in ${home}: put node's LICENSE there`);
  }
  stage.copy(node, 'libexec/node', true);
  stage.copy(license, 'libexec/node-LICENSE');
}

/** Seconds since the epoch that every file gets. */
function timeOfFiles() {
  const { SOURCE_DATE_EPOCH } = process.env;
  if (SOURCE_DATE_EPOCH !== undefined && SOURCE_DATE_EPOCH !== '') return SOURCE_DATE_EPOCH;
  const commit = spawnSync('git', ['log', '-1', '--format=%ct'], { cwd: root, encoding: 'utf8' });
  return commit.status === 0 ? commit.stdout.trim() : '0';
}

function writeArchive(scratch, directory, archive, compressor) {
  const tar = ['--sort=name', `--mtime=@${timeOfFiles()}`, '--owner=0', '--group=0'];
  const how = ['--numeric-owner', '--mode=u=rwX,go=rX', '--format=ustar'];
  const raw = `${scratch}/archive.tar`;
  execFileSync('tar', [...tar, ...how, '-C', scratch, '-cf', raw, directory]);
  if (compressor === undefined) {
    copyFileSync(raw, archive);
    return;
  }
  const [program, ...words] = compressor;
  const files = [openSync(raw, 'r'), openSync(archive, 'w')];
  // No options of the user's own.
  const env = { ...process.env, XZ_DEFAULTS: '', XZ_OPT: '', GZIP: '' };
  execFileSync(program, words, { env, stdio: [...files, 'inherit'] });
  for (const file of files) closeSync(file);
}

function megabytes(bytes) {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`.padStart(10);
}

function main() {
  const { values } = parseArgs({
    // `--with-node` alone is the node that runs this.
    args: process.argv
      .slice(2)
      .map((word) => (word === '--with-node' ? `--with-node=${process.execPath}` : word)),
    options: {
      'with-node': { type: 'string' },
      output: { type: 'string', default: `${root}dist` },
      compress: { type: 'string', default: 'xz' },
    },
  });
  const compressor = COMPRESSORS[values.compress];
  if (compressor === undefined) throw new Error('--compress is one of xz, gz, none');
  const withNode = values['with-node'];
  const directory = `tscc-${version}-linux-${process.arch}`;
  const name = `${directory}${withNode === undefined ? '' : '-with-node'}${compressor.suffix}`;
  const output = resolve(values.output);
  mkdirSync(output, { recursive: true });

  const scratch = mkdtempSync(`${tmpdir()}/tscc-package-`);
  try {
    const stage = new Stage(`${scratch}/${directory}`);
    stageCode(stage);
    const isStatic = stageNative(stage);
    const modules = stageModules(stage);
    stageDocuments(stage);
    if (withNode !== undefined) stageNode(stage, withNode);
    writeArchive(scratch, directory, `${output}/${name}`, compressor.command);

    const all = stage.measure('.');
    const packed = statSync(`${output}/${name}`).size;
    console.log(`${output}/${name}`);
    console.log(`${megabytes(packed)}  packed`);
    console.log(`${megabytes(all.bytes)}  unpacked, ${all.files} files, below ${directory}/`);
    const about = {
      bin: `${Object.keys(nativePrograms).join(', ')}${isStatic ? '' : ' (not static: no libc.a here)'}; tsccd, tscc-pump`,
      build: 'code',
      node_modules: modules.map((one) => `${one.name} ${one.version}`).join(', '),
      libexec: 'node, which goes before one along PATH',
      contrib: 'for services',
      docs: 'documents',
      share: 'man pages, completion for bash and zsh',
    };
    for (const part of Object.keys(about).filter((part) => existsSync(stage.path(part)))) {
      console.log(`${megabytes(stage.measure(part).bytes)}    ${part}: ${about[part]}`);
    }
    if (withNode === undefined) console.log('needs Node.js 20.19 or newer along PATH');
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

try {
  main();
} catch (error) {
  console.error(`tscc: package: ${error.message}`);
  process.exit(1);
}
