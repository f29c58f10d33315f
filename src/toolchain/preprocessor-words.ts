/**
 * Words that -Wp, and -Xpreprocessor hand to the preprocessor itself, after those of the driver's
 * own. GCC joins all of them into one list, so an option and its value may come in two -Wp, words.
 */
import type { ByteString } from '../core/byte-string.js';
import type { DeclineReason } from '../core/reasons.js';
import { failure, success, type Result } from '../core/errors.js';
import type { Token } from './tokenize.js';

export interface PreprocessorOption {
  readonly name: '-MD' | '-MMD' | '-MF' | '-MT' | '-MQ' | '-MP' | '-D' | '-U';
  readonly value: ByteString;
}

/** At this level -MD and -MMD take the file's name, always as a word of its own. */
const SEPARATE = ['-MD', '-MMD'] as const;
const EITHER = ['-MF', '-MT', '-MQ', '-D', '-U'] as const;

/** Whether this option is `-Wp,` in any spelling. */
export function isPreprocessorWord(token: Token): boolean {
  return token.kind === 'option' && token.spec.name === '-Wp,';
}

/** Everything that the command's tokens hand on, in order; what is not understood is declined. */
export function preprocessorWords(
  tokens: readonly Token[],
): Result<readonly PreprocessorOption[], DeclineReason> {
  return readPreprocessorOptions(
    tokens.flatMap((token) => {
      if (token.kind !== 'option' || token.spec.name !== '-Wp,') return [];
      return token.words.length === 1 ? (token.value ?? '').split(',') : [token.value ?? ''];
    }),
  );
}

/** Words as the preprocessor gets them, which knows few options in that place. */
export function readPreprocessorOptions(
  words: readonly ByteString[],
): Result<readonly PreprocessorOption[], DeclineReason> {
  const options: PreprocessorOption[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    const name =
      word === '-MP'
        ? word
        : (SEPARATE.find((known) => known === word) ??
          EITHER.find((known) => word.startsWith(known)));
    if (name === undefined) {
      return failure<DeclineReason>(`option:-Wp,${/^[\w-]*/.exec(word)?.[0] ?? ''}`);
    }
    let value: ByteString | undefined = word.slice(name.length);
    if (value === '' && name !== '-MP') value = words[++i];
    // A word of its own that begins so is read for more words.
    if (value === undefined || (value.startsWith('@') && value === words[i])) {
      return failure<DeclineReason>(`option:-Wp,${name}`);
    }
    options.push({ name, value });
  }
  return success(options);
}
