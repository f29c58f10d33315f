/**
 * Builds on a terminal: colours, links and the width of what a compiler prints are those of the local
 * one, and it runs once. script(1) gives each line a terminal of its own.
 */
import t, { type Test } from 'tap';
import { without } from '../fixtures/tools.js';
import { Twins, type Fate, type TwinOptions } from '../fixtures/twins.js';

const WIDE = `int f(const char *first_of_two, const char *second_of_two) { int never_used_at_all; return first_of_two == second_of_two; }\n`;
const FILES = { 'x.c': `int g(void) { int unused; return 0; }\n${WIDE}` };
const ESCAPE = '\x1b[';
const LINK = '\x1b]8;;';

const skip = without('script', 'stty');
const twins = await Twins.start(t);

/** Compares a line that runs on a terminal of 60 columns. */
async function compare(
  t: Test,
  line: string,
  fate: Fate,
  env: NodeJS.ProcessEnv = {},
  compiler = 'gcc',
): Promise<string> {
  const options: TwinOptions = {
    files: FILES,
    env: { TSCC_MODE: 'pump', TERM: 'xterm-256color', LINE: `stty cols 60; ${line}`, ...env },
  };
  const run = `script -qec 'eval "$LINE"' /dev/null </dev/null`;
  return (await twins.compare(t, run, fate, options, compiler)).stdout;
}

await t.test('what GCC prints is what it would print here', { skip }, async (t) => {
  const line = '$CC -Wall -c x.c';
  const usual = await compare(t, line, 'pump');
  t.match(usual, ESCAPE);
  t.match(usual, LINK);
  t.notMatch(usual, 'first_of_two, const', 'the line is cut');
  const uncut = await compare(t, `${line} </dev/null`, 'pump');
  t.match(uncut, 'first_of_two, const', 'its width is that of standard input');
  t.match(await compare(t, line, 'pump', { COLUMNS: '200' }), 'first_of_two, const');
  t.notMatch(await compare(t, line, 'pump', { TERM: 'dumb' }), ESCAPE);
  t.notMatch(await compare(t, line, 'pump', { TERM: 'xterm' }), LINK);
  t.match(await compare(t, line, 'pump', { TERM: 'xterm', COLORTERM: 'truecolor' }), LINK);
  t.notMatch(await compare(t, line, 'pump', { COLORTERM: 'xfce4-terminal' }), LINK);
  t.match(await compare(t, line, 'pump', { GCC_URLS: 'st' }), '\x1b\\');
  t.match(await compare(t, line, 'pump', { GCC_COLORS: 'warning=01;36' }), '\x1b[01;36m');
  t.notMatch(await compare(t, line, 'pump', { GCC_COLORS: '' }), ESCAPE);
  t.notMatch(await compare(t, `${line} -fdiagnostics-color=never`, 'pump'), ESCAPE);
  t.notMatch(await compare(t, `${line} 2>&1 | cat`, 'pump'), ESCAPE, 'a pipe is none');
});

await t.test('nothing of it gets into what is made', { skip }, async (t) => {
  for (const flags of [
    '-g -O2',
    '-g -frecord-gcc-switches -MD',
    '-S -fverbose-asm',
    '-flto -frandom-seed=x -g',
  ]) {
    const isAssembly = flags.startsWith('-S');
    t.match(await compare(t, `$CC -Wall ${flags} ${isAssembly ? '' : '-c'} x.c`, 'pump'), ESCAPE);
  }
});

await t.test('an error is told once, as here', { skip }, async (t) => {
  const line = '$CC -Wall -Werror -c x.c; echo $?';
  t.equal((await compare(t, line, 'fallback compile-error')).match(/error:/g)?.length, 2);
});

await t.test('Clang asks a data base', { skip: skip || without('clang') }, async (t) => {
  const clang = (env: NodeJS.ProcessEnv = {}, fate: Fate = 'pump', line = '$CC -g -Wall -c x.c') =>
    compare(t, line, fate, env, 'clang');
  t.match(await clang(), ESCAPE);
  t.match(await clang({ COLUMNS: '50' }), /\.\.\./, 'the line is cut');
  t.match(await clang({ TERM: 'linux' }), ESCAPE);
  t.notMatch(await clang({ TERM: 'dumb' }), ESCAPE);
  t.notMatch(await clang({ TERM: 'nonesuch' }), ESCAPE);
  t.notMatch(await clang({}, 'pump', '$CC -Wall -fno-color-diagnostics -c x.c'), ESCAPE);
  t.match(await clang({}, 'pump', '$CC -Wall -g -O2 -MD -c x.c -o y.o'), ESCAPE);
  t.notMatch(await clang({ TERMINFO: '/nowhere' }, 'fallback terminal-diagnostics'), LINK);
});

await t.test('a compile that is verified is compared without a terminal', { skip }, async (t) => {
  const env = { TSCC_VERIFY: '1000' };
  t.match(await compare(t, '$CC -Wall -c x.c', 'fallback terminal-diagnostics', env), LINK);
  await compare(t, '$CC -c x.c', 'pump', env);
});

await t.test('each ran where it should have', { skip }, (t) => twins.checkFates(t));
