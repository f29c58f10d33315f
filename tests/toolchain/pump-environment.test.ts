import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { DECLINED_VARIABLES } from '../../src/toolchain/options/environment.js';
import {
  CARRIED_VARIABLES,
  environmentObstacle,
  onTerminal,
  pumpEnvironment,
  renderPumpEnvironment,
} from '../../src/toolchain/pump-environment.js';

const of = (...pairs: [string, string][]) => new Map(pairs);

await t.test('what compilers look at goes along, in the order of the table', async (t) => {
  const environment = of(
    ['HOME', '/home/x'],
    ['TERM', 'xterm-256color'],
    ['SOURCE_DATE_EPOCH', '0'],
    ['LC_ALL', 'C.UTF-8'],
    ['LANG', 'de_DE.ISO-8859-1@euro'],
    ['CPATH', '/a:b\xe9:'],
    ['TZ', ':Europe/Berlin'],
    ['PATH', '/usr/bin'],
  );
  t.equal(environmentObstacle(environment), undefined);
  const variables = pumpEnvironment(environment);
  t.strictSame(
    variables.map(([name]) => name),
    ['LANG', 'LC_ALL', 'PATH', 'CPATH', 'SOURCE_DATE_EPOCH', 'TZ', 'TERM'],
  );
  t.strictSame(renderPumpEnvironment(variables), {
    ok: true,
    value: [
      'LANG=de_DE.ISO-8859-1@euro',
      'LC_ALL=C.UTF-8',
      'PATH=/usr/bin',
      'CPATH=/a:b\xe9:',
      'SOURCE_DATE_EPOCH=0',
      'TZ=:Europe/Berlin',
      'TERM=xterm-256color',
    ],
  });
});

await t.test('a terminal has the width that the environment says, else its own', async (t) => {
  const columns = (given: string | undefined, width: number) =>
    onTerminal(given === undefined ? of() : of(['COLUMNS', given]), width).get('COLUMNS');
  t.equal(columns(undefined, 80), '80');
  t.equal(columns('', 80), '80');
  t.equal(columns('0', 80), '80');
  t.equal(columns('x', 80), '80');
  t.equal(columns('132', 80), '132');
  t.equal(columns(' 70x', 80), ' 70x', 'a compiler reads it as 70');
  t.equal(columns(undefined, 0), undefined, 'lines of any length');
  t.equal(columns('0', 0), '0');
});

await t.test('what cannot be carried keeps the compile here', async (t) => {
  for (const [name, value] of [
    ['LANG', '/my/locale'],
    ['LC_MESSAGES', 'x'.repeat(256)],
    ['TZ', '/etc/my-zone'],
    ['TZ', ':/etc/my-zone'],
    ['GCC_COLORS', 'error=\x1b'],
    ['COLUMNS', '8\n0'],
    ['GCC_EXEC_PREFIX', ''],
    ['DEPENDENCIES_OUTPUT', 'x'],
  ] as const) {
    t.equal(environmentObstacle(of([name, value])), `environment:${name}`, value);
  }
});

await t.test('the launcher sends whatever is looked at', async (t) => {
  const path = fileURLToPath(new URL('../../../native/launcher-session.c', import.meta.url));
  const [, list] = /variables\[\] = \{([^}]*)\}/.exec(readFileSync(path, 'utf8')) ?? [];
  const sent = [...(list ?? '').matchAll(/"([^"]+)"/g)].map((match) => match[1] ?? '');
  t.ok(sent.length > 20);
  for (const name of [...CARRIED_VARIABLES, ...DECLINED_VARIABLES]) {
    const isSent = sent.some((known) =>
      known.endsWith('*') ? name.startsWith(known.slice(0, -1)) : name === known,
    );
    t.ok(isSent, name);
  }
});

await t.test('what a server refuses', async (t) => {
  for (const [variables, message] of [
    [[['LD_PRELOAD', '/x.so']], /"LD_PRELOAD" is not sent/],
    [[['', '']], /"" is not sent/],
    [[['TERM=x\nY', '']], /is not sent/],
    [
      [
        ['TERM', 'a'],
        ['TERM', 'b'],
      ],
      /"TERM" is not sent/,
    ],
    [[['PATH', 'a\0LD_PRELOAD=x']], /PATH cannot have this value/],
    [[['LANG', '../../x']], /LANG cannot have this value/],
  ] as const) {
    const rendered = renderPumpEnvironment(variables);
    t.equal(rendered.ok, false);
    if (!rendered.ok) t.match(rendered.error, message);
  }
});
