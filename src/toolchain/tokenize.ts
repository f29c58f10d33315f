/** Words of a command line into options and inputs, by an option table. */
import type { ByteString } from '../core/byte-string.js';
import type { CompilerFamily, OptionTable } from './options/option-table.js';
import type { OptionSpec } from './options/option-spec.js';

export type Token =
  | {
      readonly kind: 'option';
      readonly spec: OptionSpec;
      readonly value: ByteString | undefined;
      readonly words: readonly ByteString[];
    }
  | { readonly kind: 'input'; readonly word: ByteString }
  /** In no table, so it is not known whether the next word belongs to it. */
  | { readonly kind: 'unknown'; readonly word: ByteString }
  /** The last word wants a value; the compiler says so. */
  | { readonly kind: 'incomplete'; readonly word: ByteString }
  /** Clang's `--`: only inputs follow. */
  | { readonly kind: 'end' };

export function tokenize(
  words: readonly ByteString[],
  table: OptionTable,
  family: CompilerFamily,
): Token[] {
  const tokens: Token[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    if (word === '-' || !word.startsWith('-')) {
      tokens.push({ kind: 'input', word });
      continue;
    }
    if (word === '--' && family === 'clang') {
      tokens.push({ kind: 'end' });
      for (const input of words.slice(i + 1)) tokens.push({ kind: 'input', word: input });
      break;
    }
    const match = table.match(word);
    if (match === undefined) {
      tokens.push({ kind: 'unknown', word });
    } else if (!match.takesNextWord) {
      tokens.push({ kind: 'option', spec: match.spec, value: match.value, words: [word] });
    } else {
      const value = words[++i];
      if (value === undefined) tokens.push({ kind: 'incomplete', word });
      else tokens.push({ kind: 'option', spec: match.spec, value, words: [word, value] });
    }
  }
  return tokens;
}
