import t from 'tap';
import { CompilerFiles } from '../../src/client/compiler-files.js';
import type { Toolchain } from '../../src/toolchain/toolchain.js';

const toolchain = { files: ['/usr/bin/gcc'] } as unknown as Toolchain;

await t.test('one list for one compiler in one locale, the identical one', async (t) => {
  const locales = new Map<string | undefined, readonly string[]>([
    [undefined, []],
    ['de', ['/de/LC_CTYPE']],
    ['fr', ['/fr/LC_CTYPE']],
  ]);
  const files = new CompilerFiles({
    of: (_toolchain, environment) => locales.get(environment.get('LANG')) ?? [],
  });
  const of = (language?: string) =>
    files.of(toolchain, new Map(language === undefined ? [] : [['LANG', language]]));
  t.equal(of(), toolchain.files);
  t.strictSame(of('de'), ['/usr/bin/gcc', '/de/LC_CTYPE']);
  t.equal(of('de'), of('de'));
  t.strictSame(of('fr'), ['/usr/bin/gcc', '/fr/LC_CTYPE']);
  const terminal = ['/terminfo/x/xterm'];
  const onTerminal = () => files.of(toolchain, new Map([['LANG', 'de']]), terminal);
  t.strictSame(onTerminal(), ['/usr/bin/gcc', '/de/LC_CTYPE', '/terminfo/x/xterm']);
  t.equal(onTerminal(), onTerminal());
  t.equal(of('de').length, 2);
});
