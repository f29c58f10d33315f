import t from 'tap';
import {
  DefaultSearchPaths,
  type SearchDeps,
  type SearchQuestion,
} from '../../src/include-server/default-search-path.js';
import type { DirectoryLook } from '../../src/platform/directory-look.js';

/** A compiler that searches `wanted`, on a machine of directories. */
class FakeMachine implements SearchDeps {
  wanted = ['/usr/include', '/opt/include'];
  readonly directories = new Map([['/usr/include', '1:1']]);
  readonly stamps = new Map([['/lib/gcc/12/..', 'old']]);
  readonly notes: string[] = [];
  runs = 0;
  status = 0;
  breaks = false;
  saysNothing = false;
  /** Called when the compiler has looked and not yet answered. */
  meanwhile = (): void => undefined;

  async runCompiler(): ReturnType<SearchDeps['runCompiler']> {
    this.runs++;
    if (this.breaks) throw new Error('spawn EAGAIN');
    const there = this.wanted.filter((name) => this.directories.has(name));
    const absent = this.wanted.filter((name) => !this.directories.has(name));
    const stderr = [
      'Found candidate GCC installation: /lib/gcc/12',
      ...absent.map((name) => `ignoring nonexistent directory "${name}"`),
      '#include "..." search starts here:',
      '#include <...> search starts here:',
      ...there.map((name) => ` ${name}`),
      'End of search list.\n',
    ];
    this.meanwhile();
    return { status: this.status, stdout: '', stderr: this.saysNothing ? '' : stderr.join('\n') };
  }

  refresh(): Promise<void> {
    return Promise.resolve();
  }

  look(directory: string): DirectoryLook {
    const identity = this.directories.get(directory);
    return identity === undefined ? { kind: 'absent' } : { kind: 'directory', identity };
  }

  directoryStamp(directory: string): string | undefined {
    return this.stamps.get(directory);
  }

  note(message: string): void {
    this.notes.push(message);
  }
}

function question(more: Partial<SearchQuestion> = {}): SearchQuestion {
  return {
    toolchain: {
      digest: 'd',
      family: 'gcc',
      version: '12',
      target: 't',
      compiler: '/usr/bin/gcc',
      name: 'gcc',
    } as SearchQuestion['toolchain'],
    language: 'c',
    words: [],
    cwd: '/',
    environment: new Map(),
    ...more,
  };
}

await t.test('one question is one process, at once and later', async (t) => {
  const machine = new FakeMachine();
  const paths = new DefaultSearchPaths(machine);
  const [first, second] = await Promise.all([paths.ask(question()), paths.ask(question())]);
  t.strictSame(first, {
    quote: [],
    angle: ['/usr/include'],
    missing: ['/opt/include'],
    duplicates: [],
  });
  t.equal(first, second);
  t.equal(await paths.ask(question()), first);
  t.equal(machine.runs, 1);
});

await t.test('other questions are other processes', async (t) => {
  const machine = new FakeMachine();
  const paths = new DefaultSearchPaths(machine);
  for (const more of [
    {},
    { language: 'c++' },
    { words: ['-m32'] },
    { words: ['-m32', '-std=c99'] },
    { cwd: '/project' },
    { environment: new Map([['CPATH', 'a']]) },
    { environment: new Map([['CPATH', 'b']]) },
  ] as const) {
    await paths.ask(question(more));
  }
  t.equal(machine.runs, 7);
});

await t.test('asked again when a directory is another one', async (t) => {
  const machine = new FakeMachine();
  const paths = new DefaultSearchPaths(machine);
  await paths.ask(question());
  machine.directories.set('/opt/include', '1:2');
  t.match(await paths.ask(question()), { angle: ['/usr/include', '/opt/include'], missing: [] });
  machine.directories.delete('/usr/include');
  t.match(await paths.ask(question()), { angle: ['/opt/include'], missing: ['/usr/include'] });
  machine.directories.set('/opt/include', '1:3');
  await Promise.all([paths.ask(question()), paths.ask(question())]);
  t.equal(machine.runs, 4);
});

await t.test('asked again when Clang could choose another GCC', async (t) => {
  const machine = new FakeMachine();
  const paths = new DefaultSearchPaths(machine);
  await paths.ask(question());
  machine.stamps.set('/lib/gcc/12/..', 'new');
  await paths.ask(question());
  t.equal(machine.runs, 2);
  await paths.ask(question());
  t.equal(machine.runs, 2);
  machine.stamps.delete('/lib/gcc/12/..');
  await paths.ask(question());
  t.equal(machine.runs, 3, 'a folder that just changed vouches for nothing');
});

await t.test('a directory that comes while the compiler answers', async (t) => {
  const machine = new FakeMachine();
  machine.meanwhile = () => machine.directories.set('/opt/include', '1:2');
  const answer = await new DefaultSearchPaths(machine).ask(question());
  t.match(answer, { angle: ['/usr/include', '/opt/include'] });
  t.equal(machine.runs, 2);

  const restless = new FakeMachine();
  restless.meanwhile = () => {
    if (!restless.directories.delete('/opt/include')) restless.directories.set('/opt/include', '2');
  };
  t.equal(await new DefaultSearchPaths(restless).ask(question()), undefined);
  t.match(restless.notes, [/the directories change all the time/]);
});

await t.test('no answer is told, and not kept', async (t) => {
  const machine = new FakeMachine();
  const paths = new DefaultSearchPaths(machine);
  machine.status = 1;
  machine.saysNothing = true;
  t.equal(await paths.ask(question()), undefined);
  machine.breaks = true;
  t.equal(await paths.ask(question()), undefined);
  t.match(machine.notes, [/gcc does not say where it looks.*status 1; see what/, /spawn EAGAIN/]);
  machine.status = 0;
  machine.saysNothing = false;
  machine.breaks = false;
  t.match(await paths.ask(question()), { angle: ['/usr/include'] });
});

await t.test('a list is an answer whatever the compiler objects to afterwards', async (t) => {
  const machine = new FakeMachine();
  machine.status = 1;
  t.match(await new DefaultSearchPaths(machine).ask(question()), { angle: ['/usr/include'] });
  t.strictSame(machine.notes, []);
});

await t.test('a name that cannot be handed on is not asked about', async (t) => {
  const machine = new FakeMachine();
  const paths = new DefaultSearchPaths(machine);
  t.equal(await paths.ask(question({ words: ['-isysroot', '/\xff'] })), undefined);
  t.equal(machine.runs, 0);
});
