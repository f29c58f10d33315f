import { once } from 'node:events';
import {
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { connect, type Socket } from 'node:net';
import t from 'tap';
import { FieldWriter, FrameSplitter } from '../../src/protocol/field-codec.js';
import {
  FROM_LAUNCHER,
  LAUNCHER_WIRE_VERSION,
  TAG,
  TO_LAUNCHER,
} from '../../src/protocol/launcher-wire.js';
import { socketPath } from '../../src/protocol/state-paths.js';
import { parseJournal } from '../../src/report/journal.js';
import { BuildHost } from '../fixtures/build-host.js';
import { readDone, readPreprocess } from '../fixtures/fake-launcher.js';
import { until } from '../fixtures/until.js';

/** All lines of all journals of a host. */
function journal(host: BuildHost) {
  const directory = `${host.env['TSCC_DIR']}/journal`;
  return readdirSync(directory).flatMap((name) => [
    ...parseJournal(readFileSync(`${directory}/${name}`, 'latin1')),
  ]);
}

/** Resolves when so many daemons of a host are left: the others have ended, journals and all. */
function daemonsLeft(host: BuildHost, count: number): Promise<void> {
  const lines = () => readFileSync(`${host.env['TSCC_DIR']}/daemon.log`, 'utf8');
  const begun = () => lines().match(/Z tscc \S+ serves /g)?.length ?? 0;
  const ended = () => lines().match(/Z ends$/gm)?.length ?? 0;
  return until(() => begun() - ended() === count);
}

/** Frames of the daemon, and the bytes of ours, on a real socket. */
class SlowLauncher {
  readonly #socket: Socket;
  readonly #splitter = new FrameSplitter(1 << 20);
  readonly #frames: { readonly type: number; readonly body: Buffer }[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => {
      for (const { type, body } of this.#splitter.push(bytes)) {
        if (type !== TO_LAUNCHER.beat) this.#frames.push({ type, body: Buffer.from(body) });
      }
    });
  }

  static async connect(path: string): Promise<SlowLauncher> {
    const socket = connect(path);
    await once(socket, 'connect');
    return new SlowLauncher(socket);
  }

  send(bytes: Uint8Array): this {
    this.#socket.write(bytes);
    return this;
  }

  async expect(kind: keyof typeof TO_LAUNCHER): Promise<Buffer> {
    while (this.#frames.length === 0) await once(this.#socket, 'data');
    const frame = this.#frames.shift();
    if (frame?.type !== TO_LAUNCHER[kind]) throw new Error(`expected ${kind}, got ${frame?.type}`);
    return frame.body;
  }
}

await t.test('a launcher that was told to preprocess is served to its end', async (t) => {
  const host = new BuildHost(t);
  await host.startServers(['127.0.0.1']);
  writeFileSync(`${host.directory}/warm.c`, 'int w;\n');
  t.match(await host.run('tscc', ['gcc', '-c', 'warm.c']), { status: 0, stderr: '' });

  const common = socketPath(`${host.env['XDG_RUNTIME_DIR']}/tscc`, `${host.env['TSCC_DIR']}`);
  const launcher = await SlowLauncher.connect(common);
  writeFileSync(`${host.directory}/x.c`, 'int x;\n');
  const root = statSync('/', { bigint: true });
  launcher.send(
    new FieldWriter()
      .add(TAG.version, LAUNCHER_WIRE_VERSION)
      .add(TAG.pid, process.pid)
      .add(TAG.umask, 0o022)
      .add(TAG.flags, 0)
      .add(TAG.columns, 0)
      .add(TAG.cwd, host.directory)
      .add(TAG.world, `${readlinkSync('/proc/self/ns/mnt')} ${root.dev} ${root.ino}`)
      .add(TAG.compiler, '/usr/bin/gcc')
      .addAll(TAG.word, ['gcc', '-c', 'x.c'])
      .addAll(TAG.variable, [
        'TSCC_MODE=plain',
        `TSCC_HOSTS=${host.env['TSCC_HOSTS']}`,
        `PATH=${host.env['PATH']}`,
      ])
      .finish(FROM_LAUNCHER.run),
  );
  const order = await launcher.expect('preprocess');
  t.match(await host.run('tscc', ['stop']), {
    stdout: 'the session daemon ends after 1 running command\n',
  });
  // A second daemon has the common name from here on.
  t.match(await host.run('tscc', ['gcc', '-c', 'warm.c']), { status: 0, stderr: '' });

  writeFileSync(readPreprocess(order).into, '# 1 "x.c"\nint x;\n');
  launcher.send(
    new FieldWriter()
      .add(TAG.status, 0)
      .add(TAG.stderrBytes, 0)
      .add(TAG.cpuMicroseconds, 1)
      .finish(FROM_LAUNCHER.preprocessed),
  );
  const { from, to } = readDone(await launcher.expect('done'));
  for (const [at, path] of from.entries()) renameSync(path, to[at] ?? '');
  launcher.send(
    new FieldWriter().add(TAG.errno, 0).add(TAG.failedTarget, '').finish(FROM_LAUNCHER.committed),
  );
  await daemonsLeft(host, 1);
  t.ok(existsSync(`${host.directory}/x.o`));
  t.match(
    journal(host).filter((line) => line.event === 'compile' && line.source === 'x.c'),
    [{ outcome: 'plain' }],
  );
});

await t.test('every command of a build that it is stopped in has one line', async (t) => {
  const host = new BuildHost(t);
  await host.startServers(['127.0.0.1', '127.0.0.2']);
  const count = 40;
  const names = Array.from({ length: count }, (_, n) => `f${n}`);
  for (const name of names) writeFileSync(`${host.directory}/${name}.c`, `int ${name};\n`);
  writeFileSync(
    `${host.directory}/Makefile`,
    [
      `all: ${names.map((name) => `${name}.o`).join(' ')}`,
      '%.o: %.c',
      '\t@tscc gcc -c $< -o $@',
      ...[10, 20, 30].map((n) => `\t@case $* in f${n}) tscc stop >/dev/null;; esac`),
      '',
    ].join('\n'),
  );
  t.match(await host.run('make', ['-j8'], { env: { TSCC_SESSION: 'build' } }), {
    status: 0,
    stdout: '',
    stderr: '',
  });
  for (const name of names) t.ok(existsSync(`${host.directory}/${name}.o`));
  await host.run('tscc', ['stop']);
  await daemonsLeft(host, 0);
  const lines = journal(host).filter(({ event }) => event === 'compile' || event === 'local');
  const sources = lines.map((line) => ('source' in line ? line.source : ''));
  t.strictSame(sources.toSorted(), names.map((name) => `${name}.c`).toSorted());
  t.notMatch(JSON.stringify(lines), /internal-error/);
});
