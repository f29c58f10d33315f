/** A build by stock make through real servers: the same files, nothing printed, all explained. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { BuildHost } from '../fixtures/build-host.js';

const MAKEFILE = `
CC = gcc
CXX = g++
CFLAGS = -O2 -Wall -MMD -MP
UNITS = $(basename $(wildcard src/*.c src/*.cc))
all: program
program: $(addsuffix .o,$(UNITS))
	$(CXX) -o $@ $^
%.o: %.c
	$(CC) $(CFLAGS) -c -o $@ $<
%.o: %.cc
	$(CXX) $(CFLAGS) -c -o $@ $<
clean:
	rm -f program src/*.o src/*.d
`;

function writeProject(directory: string): string[] {
  mkdirSync(`${directory}/src`);
  writeFileSync(`${directory}/Makefile`, MAKEFILE);
  writeFileSync(`${directory}/src/common.h`, '#define N 7\nint sum(int);\n');
  const outputs: string[] = [];
  for (let i = 0; i < 5; i++) {
    const c = `#include <stdio.h>\n#include "common.h"\nint f${i}(int x) { return x * N + ${i}; }\n`;
    const cc = `#include <string>\n#include "common.h"\nstd::string g${i}() { return std::string(N, 'x'); }\n`;
    writeFileSync(`${directory}/src/c${i}.c`, c);
    writeFileSync(`${directory}/src/d${i}.cc`, cc);
    for (const unit of [`c${i}`, `d${i}`]) outputs.push(`src/${unit}.o`, `src/${unit}.d`);
  }
  writeFileSync(`${directory}/src/main.c`, 'int f3(int);\nint main(void) { return f3(1) - 10; }\n');
  return [...outputs, 'src/main.o', 'src/main.d', 'program'];
}

await t.test('make -j16 on eight servers', async (t) => {
  const host = new BuildHost(t);
  const outputs = writeProject(host.directory);
  const read = () =>
    new Map(outputs.map((name) => [name, readFileSync(`${host.directory}/${name}`)]));
  t.match(await host.run('make', ['-s', '-j2']), { status: 0, stderr: '' });
  const local = read();
  await host.run('make', ['clean']);

  await host.startServers(Array.from({ length: 8 }, (_, n) => `127.0.0.${n + 1}`));
  const built = await host.run('make', ['-s', '-j16', 'CC=tscc gcc', 'CXX=tscc g++']);
  t.strictSame(built, { status: 0, stdout: '', stderr: '' });
  const remote = read();
  for (const name of outputs)
    t.ok(local.get(name)?.equals(remote.get(name) ?? Buffer.alloc(0)), name);
  t.match(await host.run('./program', []), { status: 0 });

  const status = await host.status();
  t.strictSame(status.outcomes, { pump: 0, plain: 11, cache: 0, local: 0 });
  t.strictSame([status.declines, status.fallbacks], [{}, {}]);
  t.strictSame(status.other, { link: 1 });
  t.ok(Object.values(status.hosts).filter(({ compiles }) => compiles > 0).length > 1);
  t.strictSame(host.leftovers(), []);
});

await t.test('tscc-pump opens a session, sums it up, and exits as the build did', async (t) => {
  const host = new BuildHost(t);
  writeProject(host.directory);
  await host.startServers(['127.0.0.1']);
  const built = await host.run('tscc-pump', [
    'make',
    '-s',
    '-j4',
    'CC=tscc gcc',
    'CXX=tscc g++',
    'src/c1.o',
    'src/d1.o',
  ]);
  t.equal(built.status, 0);
  t.match(built.stderr, /^tscc-pump: 2 compiles in [0-9.]+ s: 2 plain\n/);
  t.ok(built.stderr.split('\n').length < 11, 'short');
  t.match(await host.status(), { outcomes: { plain: 2 }, ended: Number });

  const failed = await host.run('tscc-pump', ['sh', '-c', 'exit 7']);
  t.match(failed, { status: 7, stderr: /no command of this build came to tscc/ });
  t.match(await host.run('tscc-pump', ['sh', '-c', 'kill -TERM $$']), { status: 143 });
  t.match(await host.run('tscc-pump', ['/no/such']), {
    status: 115,
    stderr: /^tscc-pump: cannot run '\/no\/such': there is no such command\n$/,
  });
});

await t.test('masquerade', async (t) => {
  const host = new BuildHost(t);
  writeProject(host.directory);
  await host.startServers(['127.0.0.1']);
  const links = `${host.directory}/links`;
  t.match(await host.run('tscc', ['install', links]), {
    status: 0,
    stdout: /gcc.*put it first on PATH/s,
  });
  t.match(await host.run('tscc', ['install', links]), { status: 0 }, 'twice is fine');
  const env = { PATH: `${links}:${host.env['PATH']}` };
  t.strictSame(await host.run('make', ['-s', '-j4', 'src/c1.o', 'src/d1.o'], { env }), {
    status: 0,
    stdout: '',
    stderr: '',
  });
  t.match(await host.status(), { outcomes: { plain: 2 } });
});

await t.test('an error is told once, by the local compiler', async (t) => {
  const host = new BuildHost(t);
  await host.startServers(['127.0.0.1']);
  writeFileSync(`${host.directory}/bad.c`, 'int f(void) { return y; }\n');
  const local = await host.run('gcc', ['-c', 'bad.c']);
  const remote = await host.run('tscc', ['gcc', '-c', 'bad.c']);
  t.strictSame(remote, local);
  t.match(await host.status(), { fallbacks: { 'plain-diagnostics': 1 } });
  writeFileSync(`${host.directory}/warns.c`, '#warning careful\nint x;\n');
  t.strictSame(
    await host.run('tscc', ['gcc', '-c', 'warns.c']),
    await host.run('gcc', ['-c', 'warns.c']),
  );
  t.match(await host.status(), { declines: { 'preprocess-diagnostics': 1 } });
});

await t.test('tools', async (t) => {
  const host = new BuildHost(t);
  const servers = await host.startServers(['127.0.0.1', '127.0.0.2'], ['--jobs', '3']);
  t.match(await host.run('tscc', ['--version']), {
    status: 0,
    stdout: /^tscc [0-9]+\.[0-9]+\.[0-9]+\n$/,
  });
  t.match(await host.run('tscc', ['--help']), {
    status: 0,
    stdout: /tscc COMPILER.*status.*hosts/s,
  });
  t.match(await host.run('tscc', ['-j']), { status: 0, stdout: '6\n' });
  t.match(await host.run('tscc', ['--show-hosts']), {
    stdout: `${servers.hosts.replaceAll(' ', '\n')}\n`,
  });
  const hosts = await host.run('tscc', ['hosts', '--json']);
  t.match(JSON.parse(hosts.stdout), [
    { state: 'up', slots: 3, toolchains: Object },
    { state: 'up', slots: 3 },
  ]);
  t.match(await host.run('tscc', ['hosts'], { env: { TSCC_HOSTS: '127.0.0.1:1' } }), {
    stdout: /^127\.0\.0\.1:1 {2}down: connection refused: no tsccd listens on port 1\n$/,
  });
  t.match(await host.run('tscc', ['status', '--json']), { status: 0, stdout: /"outcomes"/ });
  t.match(await host.run('tscc', ['status', '--session', 'none']), {
    status: 115,
    stderr: /^tscc: there is no session 'none' in /,
  });
  t.match(await host.run('tscc', ['hosts', '--wrong']), { status: 101, stderr: /see tscc --help/ });
  t.match(await host.run('tscc', ['stop']), { stdout: 'no session daemon runs\n' });
});

await t.test('what the shell asks for completion', async (t) => {
  const host = new BuildHost(t);
  t.match(await host.run('tscc', ['completion']), { status: 0, stdout: /--get-yargs-completions/ });
  const env = { SHELL: '/bin/bash' };
  const asked = await host.run('tscc', ['--get-yargs-completions', 'tscc', 'st'], { env });
  t.match(asked, { status: 0, stdout: /^status$/m, stderr: '' });
  t.match(await host.run('tscc', ['doctor']), { status: 101, stderr: /not in tscc .* yet\n$/ });
});

await t.test('sources that came preprocessed make the local objects', async (t) => {
  const host = new BuildHost(t);
  await host.startServers(['127.0.0.1']);
  writeFileSync(`${host.directory}/bare.i`, 'int f(void) { return 1; }\n');
  writeFileSync(
    `${host.directory}/made.c`,
    '#include <stdio.h>\nint g(void) { return puts("x"); }\n',
  );
  await host.shell('gcc -E made.c -o made.i');
  for (const name of ['bare', 'made']) {
    await host.shell(`gcc -O2 -c ${name}.i -o local.o && tscc gcc -O2 -c ${name}.i -o remote.o`);
    const [local, remote] = ['local.o', 'remote.o'].map((o) =>
      readFileSync(`${host.directory}/${o}`),
    );
    t.ok(local?.equals(remote ?? Buffer.alloc(0)), name);
  }
  t.match(await host.status(), { outcomes: { plain: 2, local: 0 } });
});
