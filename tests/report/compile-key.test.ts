import t from 'tap';
import { compileKey, filePart, filesPart, variablesPart } from '../../src/report/compile-key.js';

const PARTS = {
  toolchain: 'gcc12',
  cwd: '/b',
  argv: ['gcc', '-c', 'a.c'],
  variables: variablesPart([['LANG', 'C']]),
  source: 's',
  files: filesPart([filePart('/b/x.h', 'x')]),
};

await t.test('another key for each part, the same for the same', async (t) => {
  const keys = new Set([
    compileKey(PARTS),
    compileKey({ ...PARTS, toolchain: 'gcc13' }),
    compileKey({ ...PARTS, cwd: '/c' }),
    compileKey({ ...PARTS, argv: ['gcc', '-c a.c'] }),
    compileKey({ ...PARTS, variables: variablesPart([['LANG', 'de']]) }),
    compileKey({ ...PARTS, source: 't' }),
    compileKey({ ...PARTS, files: filesPart([]) }),
    compileKey({ ...PARTS, files: filesPart([filePart('/b/x.h', 'y')]) }),
    compileKey({ ...PARTS, files: filesPart([filePart('/b/y.h', 'x')]) }),
  ]);
  t.equal(keys.size, 9);
  t.equal(compileKey({ ...PARTS }), compileKey(PARTS));
  t.match(compileKey(PARTS), /^[0-9a-f]{16}$/);
});

await t.test('files in any order, as each server names them', async (t) => {
  const [x, y, z] = [filePart('/x.h', 'x'), filePart('/y.h', 'y'), filePart('/z.h', 'z')];
  t.equal(filesPart([x, y, z]), filesPart([z, x, y]));
  t.not(filesPart([x, y]), filesPart([x, z]));
  t.not(filesPart([x, x]), filesPart([x]));
});

await t.test('variables in any order, without those of a terminal', async (t) => {
  const part = variablesPart([
    ['LANG', 'C'],
    ['TZ', 'UTC'],
  ]);
  t.equal(
    variablesPart([
      ['TZ', 'UTC'],
      ['COLUMNS', '80'],
      ['LANG', 'C'],
    ]),
    part,
  );
});
