import { existsSync, writeFileSync } from 'node:fs';
import t from 'tap';
import type { BuildReport } from '../../src/report/analysis/build-report.js';
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
