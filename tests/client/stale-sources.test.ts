import { readdirSync, utimesSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { removeStaleSources } from '../../src/client/stale-sources.js';
import { DAEMON } from '../../src/core/limits.js';
import { realFiles } from '../../src/platform/files.js';

await t.test('old sources of this daemon go, all else stays', async (t) => {
  const directory = t.testdir({});
  const now = Date.now();
  const put = (name: string, age: number) => {
    writeFileSync(`${directory}/${name}`, '');
    utimesSync(`${directory}/${name}`, (now - age) / 1000, (now - age) / 1000);
  };
  put('mine-1', DAEMON.staleSource + 10_000);
  put('mine-2', 10_000);
  put('other-1', DAEMON.staleSource + 10_000);
  removeStaleSources(`${directory}/mine-`, realFiles, { now: () => now });
  t.same(readdirSync(directory), ['mine-2', 'other-1']);
});
