import { statSync } from 'node:fs';
import t from 'tap';
import { digestOf } from '../../src/core/digest.js';
import {
  ToolchainProbe,
  type ToolchainDeps,
  type Toolchain,
} from '../../src/toolchain/toolchain.js';
import { realToolchainDeps } from '../../src/toolchain/toolchain-host.js';
import { runIn } from '../fixtures/commands.js';
import { without } from '../fixtures/tools.js';

/** A machine of files and of what compilers at a prefix say. */
class FakeMachine implements ToolchainDeps {
  readonly files = new Map<string, string>();
  readonly notes: string[] = [];
  readonly #prefix: string;
  runs = 0;
  hashes = 0;
  self = 'Target: x86_64-linux-gnu\ngcc version 12.2.0 (Debian 12.2.0-14)\n';

  constructor(prefix: string) {
    this.#prefix = prefix;
    this.files.set(`${prefix}/bin/gcc`, 'ELF driver');
    this.files.set(`${prefix}/lib/cc1`, 'ELF cc1');
    this.files.set(`${prefix}/bin/as`, 'ELF as');
  }

  async runCompiler(
    program: string,
    [argument = '']: readonly string[],
  ): ReturnType<ToolchainDeps['runCompiler']> {
    this.runs++;
    if (program !== `${this.#prefix}/bin/gcc`) throw new Error(`unexpected ${program}`);
    if (argument === '-v') return { status: 0, stdout: '', stderr: this.self };
    const name = /^-print-prog-name=(.*)/.exec(argument)?.[1];
    const place = `${this.#prefix}/lib/${name}`;
    if (name !== undefined) {
      return { status: 0, stdout: `${this.files.has(place) ? place : name}\n`, stderr: '' };
    }
    return { status: 0, stdout: `install: ${this.#prefix}/lib/\n`, stderr: '' };
  }

  stamp(file: string): string | undefined {
    return this.files.get(file);
  }

  directoryStamp(directory: string): string | undefined {
    return [...this.files.keys()].filter((file) => file.startsWith(`${directory}/`)).join();
  }

  size(file: string): number {
    return this.files.get(file)?.length ?? 0;
  }

  async readStart(file: string, length: number): Promise<Buffer> {
    return Buffer.from(this.files.get(file) ?? '').subarray(0, length);
  }

  async hash(file: string): Promise<string> {
    this.hashes++;
    return digestOf(this.files.get(file) ?? '');
  }

  note(message: string): void {
    this.notes.push(message);
  }
}

async function identify(machine: FakeMachine, prefix: string): Promise<Toolchain> {
  const found = await new ToolchainProbe(machine).identify(`${prefix}/bin/gcc`, `${prefix}/bin`);
  if (typeof found === 'string') throw new Error(found);
  return found;
}

await t.test('the same files at another place are the same toolchain', async (t) => {
  const here = await identify(new FakeMachine('/usr'), '/usr');
  const there = await identify(new FakeMachine('/opt/gcc'), '/opt/gcc');
  t.equal(here.digest, there.digest);
  t.match(here, { family: 'gcc', version: '12.2.0', target: 'x86_64-linux-gnu', name: 'gcc' });
  t.match(here, { driverBytes: 'ELF driver'.length });
  t.equal(there.compiler, '/opt/gcc/bin/gcc');
});

await t.test('any other content is another toolchain', async (t) => {
  const digests = new Set([(await identify(new FakeMachine('/usr'), '/usr')).digest]);
  const changes: [string, string][] = [
    ['/usr/bin/gcc', 'ELF other driver'],
    ['/usr/lib/cc1', 'ELF other cc1'],
    ['/usr/bin/as', 'ELF other as'],
    ['/usr/lib/cc1plus', 'ELF cc1plus'],
    ['/usr/bin/objcopy', 'ELF objcopy'],
    ['/usr/lib/specs', '*cc1: -O3'],
  ];
  for (const [file, content] of changes) {
    const machine = new FakeMachine('/usr');
    machine.files.set(file, content);
    digests.add((await identify(machine, '/usr')).digest);
  }
  const older = new FakeMachine('/usr');
  older.self = older.self.replaceAll('12.2.0', '12.1.0');
  digests.add((await identify(older, '/usr')).digest);
  t.equal(digests.size, changes.length + 2);
});

await t.test('one probe for many calls, until a file changes', async (t) => {
  const machine = new FakeMachine('/usr');
  const probe = new ToolchainProbe(machine);
  const ask = async (): Promise<Toolchain> => {
    const found = await probe.identify('/usr/bin/gcc', '/opt:/usr/bin');
    if (typeof found === 'string') throw new Error(found);
    return found;
  };
  const [first, second] = await Promise.all([ask(), ask()]);
  const { runs } = machine;
  t.equal(first, second);
  t.equal(await ask(), first);
  t.equal(machine.runs, runs, 'nothing was run again');
  t.ok(probe.isCurrent(first));

  machine.files.set('/usr/lib/cc1', 'ELF upgraded cc1');
  t.notOk(probe.isCurrent(first));
  const [third, fourth] = await Promise.all([ask(), ask()]);
  t.equal(third, fourth);
  t.not(third.digest, first.digest);

  machine.files.set('/opt/as', 'ELF as that comes first now');
  t.notOk(probe.isCurrent(third), 'absence is evidence too');
});

await t.test('what has no identity', async (t) => {
  const machine = new FakeMachine('/usr');
  const probe = new ToolchainProbe(machine);
  const ask = (): Promise<unknown> => probe.identify('/usr/bin/gcc', '/usr/bin');
  machine.files.set('/usr/bin/gcc', '#!/bin/sh\n');
  t.equal(await ask(), 'compiler-is-script');
  t.equal(machine.runs, 0);
  machine.files.delete('/usr/bin/gcc');
  t.equal(await ask(), 'compiler-unknown', 'none at all');
  machine.files.set('/usr/bin/gcc', 'ELF');
  machine.self = 'tcc version 0.9.27';
  t.equal(await ask(), 'compiler-unknown', 'neither GCC nor Clang');
  machine.files.set('/usr/bin/gcc', 'ELF 2');
  machine.self = 'Target: t\ngcc version 1\n';
  machine.files.delete('/usr/lib/cc1');
  t.equal(await ask(), 'compiler-unknown', 'a driver without compilers');
  machine.files.set('/usr/bin/cc1', 'ELF');
  machine.files.set('/usr/bin/gcc', 'ELF 3');
  machine.hash = () => Promise.reject(new Error('EACCES: permission denied'));
  t.equal(await ask(), 'compiler-unknown', 'unreadable');
  t.match(machine.notes, ['cannot identify /usr/bin/gcc: EACCES: permission denied']);
});

await t.test('a host that is short of something says nothing about a compiler', async (t) => {
  const machine = new FakeMachine('/usr');
  const probe = new ToolchainProbe(machine);
  const ask = () => probe.identify('/usr/bin/gcc', '/usr/bin');
  const { readStart } = machine;
  for (const code of ['EAGAIN', 'EMFILE', 'ENFILE', 'ENOMEM']) {
    machine.readStart = () => Promise.reject(Object.assign(new Error(`${code}: none`), { code }));
    t.same(await Promise.all([ask(), ask()]), ['host-shortage', 'host-shortage']);
    t.equal(machine.notes.pop(), `cannot identify /usr/bin/gcc: ${code}: none`);
    t.same(machine.notes, [], 'it was looked at once for both');
    machine.readStart = readStart;
    t.match(await ask(), { family: 'gcc' }, 'nothing of it has changed, and it is known now');
    machine.files.set('/usr/lib/cc1', `ELF cc1 before ${code}`);
  }
});

for (const [name, family] of [
  ['gcc', 'gcc'],
  ['g++', 'gcc'],
  ['clang', 'clang'],
] as const) {
  await t.test(`the real ${name}`, { skip: without(name) }, async (t) => {
    const path = process.env.PATH ?? '';
    const compiler = runIn('/', ['sh', '-c', `command -v ${name}`])
      .stdout.toString()
      .trim();
    const probe = new ToolchainProbe(realToolchainDeps((message) => t.fail(message)));
    const toolchain = await probe.identify(compiler, path);
    if (typeof toolchain === 'string') throw new Error(toolchain);
    t.match(toolchain, { family, name, compiler, version: /^\d+\.\d+/ });
    t.match(toolchain.digest, /^[0-9a-f]{64}$/);
    t.equal(toolchain.driverBytes, statSync(compiler).size);
    t.ok(probe.isCurrent(toolchain));
    t.equal(await probe.identify(compiler, path), toolchain);
  });
}
