import t from 'tap';
import { HostSource } from '../../src/client/host-source.js';
import { readSettings } from '../../src/client/settings.js';
import type { Files } from '../../src/platform/files.js';

/** Text files, and how often each was read. */
class Texts {
  readonly reads: string[] = [];
  readonly closed = new Set<string>();
  readonly #files = new Map<string, { readonly text: string; readonly modified: number }>();
  #time = 0;

  write(path: string, text: string): void {
    this.#files.set(path, { text, modified: ++this.#time });
  }

  get files(): Files {
    const part: Pick<Files, 'stat' | 'canRead' | 'read'> = {
      stat: (path) => {
        const file = this.#files.get(path);
        if (file === undefined) return path === '/state' ? DIRECTORY : undefined;
        const { text, modified } = file;
        return { kind: 'file', id: path, size: text.length, modified, mode: 0o644 };
      },
      canRead: (path) => !this.closed.has(path),
      read: (path) => {
        this.reads.push(path);
        return this.#files.get(path)?.text ?? '';
      },
    };
    return part as Files;
  }
}

const DIRECTORY = { kind: 'directory', id: '/state', size: 0, modified: 0, mode: 0o755 } as const;
const OWN = '/state/hosts';
const CONFIGURED = '/config/tscc/hosts';

function setUp(texts = new Texts(), random?: () => number) {
  const source = new HostSource('/state', texts.files, random);
  const settings = (environment: Readonly<Record<string, string>>) =>
    readSettings(new Map(Object.entries({ XDG_CONFIG_HOME: '/config', ...environment })));
  return {
    texts,
    result: (environment = {}) => source.hostsFor(settings(environment)),
    names: (environment = {}) => {
      const list = source.hostsFor(settings(environment));
      if (!list.ok) throw new Error(list.error);
      return list.value.remote.map(({ name }) => name);
    },
  };
}

await t.test('the first place that has a list counts', async (t) => {
  const { texts, names } = setUp();
  t.strictSame(names(), [], 'none at all');
  texts.write('/etc/tscc/hosts', 'system');
  t.strictSame(names(), ['system']);
  texts.write(CONFIGURED, 'configured');
  t.strictSame(names(), ['configured']);
  texts.write(OWN, 'own');
  t.strictSame(names(), ['own']);
  t.strictSame(names({ TSCC_HOSTS: 'given' }), ['given']);
  t.strictSame(names({ DISTCC_HOSTS: 'given' }), ['given']);
  t.strictSame(names({ TSCC_HOSTS: '' }), [], 'an empty list is a list');
});

await t.test('a file that may not be read, or is none, is passed by', async (t) => {
  const { texts, names } = setUp();
  texts.write(OWN, 'own');
  texts.write(CONFIGURED, 'configured');
  texts.closed.add(OWN);
  t.strictSame(names(), ['configured']);
  const other = setUp();
  other.texts.write('/elsewhere/tscc/hosts', 'elsewhere');
  t.strictSame(other.names({ XDG_CONFIG_HOME: '', HOME: '/home' }), []);
  other.texts.write('/home/.config/tscc/hosts', 'home');
  t.strictSame(other.names({ XDG_CONFIG_HOME: '', HOME: '/home' }), ['home']);
});

await t.test('a file is read once, and again when it has changed', async (t) => {
  const { texts, names } = setUp();
  texts.write(OWN, 'red');
  for (let i = 0; i < 3; i++) t.strictSame(names(), ['red']);
  t.strictSame(texts.reads, [OWN]);
  texts.write(OWN, 'tan');
  t.strictSame(names(), ['tan'], 'of the same size');
  t.strictSame(texts.reads, [OWN, OWN]);
});

await t.test('the same text is the same list, so that links to its hosts are kept', async (t) => {
  const { result } = setUp();
  const list = result({ TSCC_HOSTS: 'red green' });
  t.equal(result({ TSCC_HOSTS: 'red green' }), list);
  t.not(result({ TSCC_HOSTS: 'green red' }), list);
});

await t.test('an error names where the list came from', async (t) => {
  const { texts, result } = setUp();
  t.match(result({ TSCC_HOSTS: 'red:0' }), { ok: false, error: /^TSCC_HOSTS: line 1, column 4: / });
  t.match(result({ DISTCC_HOSTS: 'red:0' }), { ok: false, error: /^DISTCC_HOSTS: line 1/ });
  texts.write(OWN, '# ours\nred:0');
  t.match(result(), { ok: false, error: /^\/state\/hosts: line 2, column 4: / });
  texts.write(OWN, 'red');
  t.match(result(), { ok: true }, 'and is over once it is corrected');
});

await t.test('--randomize draws an order once', async (t) => {
  const lots = [0.5, 0.1, 0.9, 0.3];
  const { names } = setUp(new Texts(), () => lots.shift() ?? 0);
  const list = { TSCC_HOSTS: 'red --randomize green blue tan' };
  t.strictSame(names(list), ['green', 'tan', 'red', 'blue']);
  t.strictSame(names(list), ['green', 'tan', 'red', 'blue'], 'the links to hosts are kept');
  t.strictSame(names({ TSCC_HOSTS: 'red green' }), ['red', 'green']);
});
