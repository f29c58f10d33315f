import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import type { BuildReport } from '../../src/report/analysis/build-report.js';
import { parseJournal } from '../../src/report/journal.js';
import { BuildHost } from '../fixtures/build-host.js';

await t.test('a build’s report has its servers, slots, headers and other commands', async (t) => {
  const host = new BuildHost(t);
  await host.startServers(['127.0.0.1', '127.0.0.2'], ['--jobs', '2']);
  writeFileSync(`${host.directory}/shared.h`, 'int shared(void);\n');
  for (const name of ['a', 'b', 'c']) {
    writeFileSync(
      `${host.directory}/${name}.c`,
      `#include "shared.h"\nint ${name}(void) { return 1; }\n`,
    );
  }
  const build = 'for n in a b c; do tscc gcc -c $n.c; done; tscc gcc -shared -o all.so a.o b.o c.o';
  const built = await host.run('tscc-pump', ['sh', '-c', build], { env: { TSCC_MODE: 'pump' } });
  const [, path = ''] = /^tscc-pump: report: (.*)$/m.exec(built.stderr) ?? [];
  t.ok(existsSync(path), built.stderr);

  const { stdout } = await host.run('tscc', ['report', '--json']);
  const report = JSON.parse(stdout) as BuildReport;
  t.match(report.summary, { compiles: 3, other: 1, failed: 0 });
  t.equal(report.utilisation.slots, 2 * report.hosts.length);
  t.equal(report.utilisation.concurrency, 1, 'one after the other');
  const link = report.commands.find(({ outcome }) => outcome === 'other');
  t.ok(link !== undefined && link.end > link.start, 'it has an end');
  t.match(link?.name, 'link: all.so');
  if (report.summary.outcomes.pump > 0) {
    const shared = report.headers.find(({ path }) => path.endsWith('/shared.h'));
    t.match(shared, { compiles: report.summary.outcomes.pump, size: 18 });
  }
  t.ok(Math.abs(report.whatIf.error ?? 1) < 0.05, 'its replay takes as long');
});

await t.test(
  'a compile that is done again: why, and how long since its launcher began',
  async (t) => {
    const host = new BuildHost(t);
    await host.startServers(['127.0.0.1']);
    writeFileSync(`${host.directory}/x.h`, 'enum { X = 1 };\n');
    writeFileSync(`${host.directory}/Makefile`, 'a.o: ; $(CC) -c a.c -o a.o\n');
    writeFileSync(`${host.directory}/a.c`, '#include "x.h"\nint a(void) { return X; }\n');
    const sessions: string[] = [];
    const build = async (...words: string[]) => {
      const session = `build-${sessions.push('')}`;
      const env = { TSCC_SESSION: session };
      const { status, stderr } = await host.run('make', ['-B', 'CC=tscc gcc', ...words], { env });
      t.equal(status, 0, stderr);
      await host.run('tscc', ['status']);
      const text = readFileSync(`${host.directory}/.state/journal/${session}.jsonl`, 'utf8');
      const compile = [...parseJournal(text)].find(({ event }) => event === 'compile');
      return compile?.event === 'compile' ? compile : undefined;
    };
    const why = async () => (await host.run('tscc', ['explain', 'a.o'])).stdout;

    const first = await build();
    t.ok(first !== undefined && first.phases.start > 0, JSON.stringify(first));
    t.equal(first?.level, 1);
    t.match(await why(), /^ {2}not compiled in the sessions before this one$/m);

    const same = await build();
    t.equal(same?.key, first?.key);
    t.match(await why(), /^ {2}nothing that it rests on has changed since session build-1: /m);

    writeFileSync(`${host.directory}/x.h`, 'enum { X = 2 };\n');
    const changed = await build();
    t.not(changed?.key, same?.key);
    t.match(
      await why(),
      changed?.outcome === 'pump'
        ? /^ {2}rebuilt because \S*\/x\.h changed \(since session build-2\)$/m
        : /^ {2}rebuilt because its preprocessed source changed \(a\.c, or what it includes\)/m,
    );

    await build('CC=tscc gcc -O2');
    t.match(await why(), /rebuilt because the command changed: – → -O2 \(since session build-3\)/);
  },
);

await t.test('without a journal: counted, and no report', async (t) => {
  const host = new BuildHost(t);
  await host.startServers(['127.0.0.1']);
  writeFileSync(`${host.directory}/a.c`, 'int a;\n');
  const env = { TSCC_JOURNAL: '0' };
  const { status, stderr } = await host.run('tscc-pump', ['tscc', 'gcc', '-c', 'a.c'], { env });
  t.equal(status, 0);
  t.match(stderr, /^tscc-pump: 1 compile in /m);
  t.notMatch(stderr, 'report');
  t.notOk(existsSync(`${host.directory}/.state/journal`));
});
