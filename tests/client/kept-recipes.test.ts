import { appendFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { KeptRecipes, type KeptRecipe } from '../../src/client/kept-recipes.js';
import { digestOf } from '../../src/core/digest.js';
import { PUMP } from '../../src/core/limits.js';
import { realFiles } from '../../src/platform/files.js';

const RECIPE: KeptRecipe = {
  stamp: '1:2 3 4.5',
  closure: digestOf('all'),
  compiler: '/usr/bin/gcc',
  toolchain: digestOf('gcc'),
  command: {
    family: 'gcc',
    cwd: '/h\xf6me',
    argv0: 'gcc',
    words: ['-DX=\xe9', 'p.h'],
    options: [{ name: '-D', value: 'X=\xe9', words: ['-DX=\xe9'] }],
    source: 'p.h',
    language: 'c',
    namedLanguage: undefined,
    stage: 'object',
    output: 'p.h.gch',
    namesOutput: false,
    dependencies: undefined,
    sideOutputs: [],
  },
  environment: [['LANG', 'C']],
};

function setUp(t: Test, version = '1') {
  const state = t.testdirName;
  const log: string[] = [];
  return {
    log,
    directory: `${state}/precompiled`,
    kept: new KeptRecipes(state, { files: realFiles, version, log: (line) => log.push(line) }),
  };
}

await t.test('what was kept is read again, whatever bytes are in it', (t) => {
  t.testdir({});
  setUp(t).kept.put('/h\xf6me/p.h.gch', RECIPE);
  const { kept, directory, log } = setUp(t);
  t.match(kept.get('/h\xf6me/p.h.gch'), RECIPE);
  t.equal(kept.get('/h\xf6me/q.h.gch'), undefined);
  const [name = ''] = readdirSync(directory);
  t.equal(statSync(`${directory}/${name}`).mode & 0o777, 0o600);
  kept.put('/h\xf6me/p.h.gch', { ...RECIPE, stamp: 'newer' });
  t.match(kept.get('/h\xf6me/p.h.gch'), { stamp: 'newer' });
  // Of two daemons that write at once.
  appendFileSync(`${directory}/${name}`, `${JSON.stringify({ version: '1' })}\n`);
  t.equal(kept.get('/h\xf6me/p.h.gch'), undefined);
  kept.forget('/h\xf6me/p.h.gch');
  kept.forget('/h\xf6me/p.h.gch');
  t.strictSame(readdirSync(directory), []);
  t.strictSame(log, []);
  t.end();
});

await t.test('another version’s is not believed, nor what was cut short', (t) => {
  t.testdir({});
  const { kept, directory, log } = setUp(t);
  kept.put('/p.h.gch', RECIPE);
  t.equal(setUp(t, '2').kept.get('/p.h.gch'), undefined);
  const [name = ''] = readdirSync(directory);
  writeFileSync(`${directory}/${name}`, '{"version":"1","pa');
  t.equal(kept.get('/p.h.gch'), undefined);
  t.match(log, [/^the recipe of a precompiled header cannot be read: /]);
  t.end();
});

await t.test('a directory that cannot be written is logged', (t) => {
  const state = t.testdir({ precompiled: 'a file' });
  const log: string[] = [];
  const context = { files: realFiles, version: '1', log: (line: string) => log.push(line) };
  new KeptRecipes(state, context).put('/p.h.gch', RECIPE);
  t.match(log, [/^the recipe of a precompiled header cannot be kept: /]);
  t.end();
});

await t.test('the newest are kept', (t) => {
  t.testdir({});
  const { kept, directory } = setUp(t);
  for (let n = 0; n <= PUMP.precompiledKnown; n++) kept.put(`/p${n}.h.gch`, RECIPE);
  t.equal(readdirSync(directory).length, PUMP.precompiledKnown);
  t.ok(kept.get(`/p${PUMP.precompiledKnown}.h.gch`));
  t.end();
});
