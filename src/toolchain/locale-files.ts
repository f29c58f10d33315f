/**
 * Files that a compiler's messages depend on: what the GNU C library opens for the locale that the
 * environment names, and the catalogues of translations.
 */
import { directoryName, joinPath, type ByteString } from '../core/byte-string.js';
import { Evidence, type EvidenceDeps } from './evidence.js';
import type { Toolchain } from './toolchain.js';

const LOCALES = '/usr/lib/locale';

/** Of `setlocale(LC_ALL, "")`, which needs all of them; a directory has its name twice. */
const CATEGORY_FILES = (
  'ADDRESS COLLATE CTYPE IDENTIFICATION MEASUREMENT MESSAGES/SYS_LC_MESSAGES MONETARY NAME ' +
  'NUMERIC PAPER TELEPHONE TIME'
)
  .split(' ')
  .map((name) => `LC_${name}`);

/** Programs of a compile and their libraries; GCC's have the major version where it is packaged. */
const DOMAINS = ['gcc', 'cpplib', 'gas', 'bfd', 'opcodes', 'libc'];

const CATALOGUES = ['/usr/share/locale', '/usr/share/locale-langpack'];

interface Found {
  readonly files: readonly ByteString[];
  readonly evidence: Evidence;
}

/** Remembers which of the many candidates are there. */
export class LocaleFiles {
  readonly #deps: EvidenceDeps;
  readonly #found = new Map<string, Found>();

  constructor(deps: EvidenceDeps) {
    this.#deps = deps;
  }

  /** Those for a compile in this environment, of which LANG, LANGUAGE and LC_* count. */
  of(
    toolchain: Toolchain,
    environment: ReadonlyMap<ByteString, ByteString>,
  ): readonly ByteString[] {
    const names = localeNames(environment);
    if (names.length === 0) return [];
    const languages = [...names, ...languagesOf(environment)];
    const key = [toolchain.digest, toolchain.compiler, names.length, ...languages].join('\0');
    const known = this.#found.get(key);
    if (known?.evidence.holds() === true) return known.files;
    const evidence = new Evidence(this.#deps);
    const files = candidates(toolchain, names, languages).filter(
      (file) => evidence.look(file) !== undefined,
    );
    this.#found.set(key, { files, evidence });
    return files;
  }
}

/** Of the locales that LANG and LC_* name; the C library has C and POSIX in itself. */
function localeNames(environment: ReadonlyMap<ByteString, ByteString>): ByteString[] {
  const names = new Set<ByteString>();
  for (const [name, value] of environment) {
    if ((name === 'LANG' || name.startsWith('LC_')) && !isBuiltIn(value)) names.add(value);
  }
  return [...names];
}

function languagesOf(environment: ReadonlyMap<ByteString, ByteString>): ByteString[] {
  const list = environment.get('LANGUAGE') ?? '';
  return list.split(':').filter((language) => !isBuiltIn(language));
}

const isBuiltIn = (name: string): boolean => name === '' || name === 'C' || name === 'POSIX';

function candidates(
  toolchain: Toolchain,
  names: readonly ByteString[],
  languages: readonly ByteString[],
): ByteString[] {
  const major = toolchain.version.split('.', 1)[0] ?? '';
  const domains = DOMAINS.flatMap((domain) => [domain, `${domain}-${major}`]);
  const prefix = directoryName(directoryName(toolchain.compiler));
  const roots = new Set([...CATALOGUES, joinPath(prefix, 'share/locale')]);
  // The C library's tables of character sets stand beside it, wherever /lib leads.
  const libraries = toolchain.files.flatMap((file) => {
    const directory = directoryName(file);
    return file.endsWith('/libc.so.6') ? [directory, `/usr${directory}`] : [];
  });
  return [
    `${LOCALES}/locale-archive`,
    '/usr/share/locale/locale.alias',
    ...libraries.map((directory) => joinPath(directory, 'gconv/gconv-modules.cache')),
    ...names.flatMap((name) =>
      spellings(name).flatMap((spelling) =>
        CATEGORY_FILES.map((file) => `${LOCALES}/${spelling}/${file}`),
      ),
    ),
    ...[...roots].flatMap((root) =>
      languages.flatMap((name) =>
        spellings(name).flatMap((spelling) =>
          domains.map((domain) => `${root}/${spelling}/LC_MESSAGES/${domain}.mo`),
        ),
      ),
    ),
  ];
}

/** `de_DE.UTF-8@euro` and the less exact names that the library tries after it. */
function spellings(name: ByteString): ByteString[] {
  const parts = /^([^_.@]*)(_[^.@]*)?(\.[^@]*)?(@.*)?$/.exec(name);
  if (parts === null) return [];
  const [, language = '', territory = '', codeset = '', modifier = ''] = parts;
  const normal = codeset === '' ? '' : `.${normalCodeset(codeset.slice(1))}`;
  const found = new Set<ByteString>();
  for (const at of new Set([modifier, ''])) {
    for (const of of new Set([territory, ''])) {
      for (const set of new Set([codeset, normal, ''])) found.add(language + of + set + at);
    }
  }
  return [...found];
}

/** Letters and digits only, in lower case, and `iso` before a mere number. */
function normalCodeset(codeset: string): string {
  const plain = codeset.replaceAll(/[^A-Za-z0-9]/g, '').toLowerCase();
  return /^[0-9]+$/.test(plain) ? `iso${plain}` : plain;
}
