/**
 * Tokens that are lent to make while launchers wait: how wide it goes, and that it has all of them
 * back at its end, where it counts them and prints INTERNAL if one is too many or too few.
 */
import t from 'tap';
import { daemonPid } from '../../benchmarks/measure.js';
import { childrenOf, WidenedBuild } from '../fixtures/widened-build.js';
import { until } from '../fixtures/until.js';

/** Another make with options, for the long campaign. */
const MAKE = process.env['TSCC_TEST_MAKE'] ?? 'make';
const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'];
const OBJECTS = NAMES.map((name) => `${name}.o`).join(' ');
const WELL = { status: 0, stderr: '' };

const build = await WidenedBuild.begin(t, 8);

await t.test('make -j2 has six compiles elsewhere at once, and two here after that', async (t) => {
  build.enter('flat');
  const locals = ['x', 'y', 'z'];
  const rules = locals.map((name) => `${name}: ${OBJECTS}\n\tgcc -c -o $@.o ${name}.c\n`);
  build.write(NAMES, `all: ${locals.join(' ')}\n${rules.join('')}`);
  const { pid, finished, lent } = build.start(`${MAKE} -j2`);
  await build.answer(await build.running(NAMES.length));
  const here = await build.running(2);
  t.ok(here.every((one) => build.isLocal(one)));
  t.equal(childrenOf(pid).length, 2, 'the width is its own again');
  await build.answer(here);
  await build.answer(await build.running(1));
  t.match(await finished, WELL);
  t.equal(await lent(), 6);
});

await t.test('off unless it is asked for, and tscc-pump --widen asks', async (t) => {
  build.enter('asked');
  build.write(NAMES, `all: ${OBJECTS}`);
  const narrow = build.start(`${MAKE} -j2`, { TSCC_DONATE: '' });
  const two = await build.running(2);
  t.equal(childrenOf(narrow.pid).length, 2);
  await build.answer(two);
  for (let n = 2; n < NAMES.length; n++) await build.answer(await build.running(1));
  t.match(await narrow.finished, WELL);
  t.equal(await narrow.lent(), 0);

  const wide = build.start(`tscc-pump --widen ${MAKE} -j2 -B`, { TSCC_DONATE: '' });
  await build.answer(await build.running(NAMES.length));
  const { status, stderr } = await wide.finished;
  t.equal(status, 0);
  t.match(stderr, /widened: 6 compiles lent/);
  t.notMatch(stderr, /INTERNAL/);
});

await t.test(
  'sub-makes: side by side, and one after the other in a loop of the shell',
  async (t) => {
    build.enter('sub');
    const parts = ['one', 'two', 'three'];
    for (const part of parts) build.write(NAMES.slice(0, 2), 'all: a.o b.o', part);
    const all = parts.join(' ');
    build.write(
      [],
      `all: ${all}\n${all}:\n\t$(MAKE) -C $@\n.PHONY: ${all}\n` +
        `loop:\n\tfor d in ${all}; do $(MAKE) -B -C $$d || exit; done\n`,
    );
    const beside = build.start(`${MAKE} -j2`);
    await build.answer(await build.running(6));
    t.match(await beside.finished, WELL);
    t.equal(await beside.lent(), 6);
    const loop = build.start(`${MAKE} -j2 loop`);
    for (const _ of parts) await build.answer(await build.running(2));
    t.match(await loop.finished, WELL);
    t.equal(await loop.lent(), 6);
  },
);

await t.test('one token for a recipe, and none where something else waits as well', async (t) => {
  build.enter('recipes');
  build.write(
    NAMES,
    'both: ; tscc gcc -c a.i & tscc gcc -c b.i & wait\n' +
      'piped: ; tscc gcc -c c.i 2>&1 | cat\n' +
      'wrapped: ; timeout 600 tscc gcc -c d.i; :\n',
  );
  for (const [target, compiles, tokens] of [
    ['both', 2, 1],
    ['piped', 1, 1],
    ['wrapped', 1, 0],
  ] as const) {
    const { finished, lent } = build.start(`${MAKE} -j2 ${target}`);
    await build.answer(await build.running(compiles));
    t.match(await finished, WELL, target);
    t.equal(await lent(), tokens, target);
  }
});

await t.test('nothing to lend to: -j1, -n, no make', async (t) => {
  build.enter('none');
  build.write(NAMES, 'all: a.o');
  t.match(await build.start(`${MAKE} -j2 -n`).finished, WELL);
  for (const line of [`${MAKE} -j1`, `${MAKE} -B -j`, 'tscc gcc -c a.i']) {
    const { finished, lent } = build.start(line);
    await build.answer(await build.running(1));
    t.match(await finished, WELL, line);
    t.equal(await lent(), 0, line);
  }
});

await t.test('make -k with a compile that fails', async (t) => {
  build.enter('fails');
  build.write(NAMES, `all: ${OBJECTS}`);
  const { finished } = build.start(`${MAKE} -k -j2`);
  const [failing, ...others] = await build.running(NAMES.length);
  await failing?.exit(1);
  const [again] = await build.running(1);
  t.equal(again && build.isLocal(again), true);
  await again?.exit(1);
  await build.answer(others);
  const { status, stderr } = await finished;
  t.equal(status, 2);
  t.notMatch(stderr, /INTERNAL/);
});

for (const signal of ['SIGKILL', 'SIGTERM', 'SIGINT'] as const) {
  await t.test(`a launcher is ended by ${signal}: make ends as ever`, async (t) => {
    build.enter(`launcher-${signal}`);
    build.write(NAMES, `all: ${OBJECTS}`);
    const { pid, finished } = build.start(`${MAKE} -k -j2`);
    const all = await build.running(NAMES.length);
    const [victim = 0] = childrenOf(pid);
    process.kill(victim, signal);
    await Promise.race(all.map((one) => one.gone));
    const others = all.filter((one) => one.isRunning);
    t.equal(others.length, NAMES.length - 1, 'its compiler is ended');
    await build.answer(others);
    const { status, stderr } = await finished;
    t.equal(status, 2);
    t.match(stderr, /\] (?:Killed|Terminated|Interrupt)\n/);
  });

  await t.test(`make is ended by ${signal}`, async (t) => {
    build.enter(`make-${signal}`);
    build.write(NAMES, `all: ${OBJECTS}`);
    const { child, pid, finished } = build.start(`${MAKE} -j2`);
    const all = await build.running(NAMES.length);
    const children = childrenOf(pid);
    child.kill(signal);
    // Of SIGTERM make tells its children itself; the others are for each of them, as from a terminal.
    if (signal !== 'SIGTERM') for (const one of children) process.kill(one, signal);
    await Promise.all(all.map((one) => one.gone));
    const { status } = await finished;
    // Where make hears of its children's end before it has heard the signal, it ends by itself.
    t.ok(status === signal || status === 2, `${status}`);
    // The daemon lends to the next make as to the first.
    const next = build.start(`${MAKE} -B -j2`);
    await build.answer(await build.running(NAMES.length));
    t.match(await next.finished, WELL);
  });
}

await t.test('the daemon is killed: another one is asked, make ends well', async (t) => {
  build.enter('daemon');
  build.write(NAMES, `all: ${OBJECTS}`);
  const { finished } = build.start(`${MAKE} -j2`);
  const all = await build.running(NAMES.length);
  process.kill(daemonPid(`${build.host.env['TSCC_DIR']}`), 'SIGKILL');
  await Promise.all(all.map((one) => one.gone));
  const again = await build.running(NAMES.length);
  t.notOk(again.some((one) => build.isLocal(one)));
  await build.answer(again);
  t.equal((await finished).status, 0, 'whatever it says of its tokens');
});

await t.test('no wider than the servers are', async (t) => {
  await build.serve('127.0.0.2', 2);
  build.enter('small');
  build.write(NAMES, `all: ${OBJECTS}`);
  const { pid, finished, lent } = build.start(`${MAKE} -j2`);
  const two = await build.running(2);
  // Two that run there, one that waits there for the next slot, two with make's own tokens.
  await until(() => childrenOf(pid).length === 5);
  await build.answer(two);
  for (let n = 2; n < NAMES.length; n++) await build.answer(await build.running(1));
  t.match(await finished, WELL);
  t.equal(await lent(), 6);
});
