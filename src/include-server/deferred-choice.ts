import { behind, behindName, keyOf, type Token } from './preprocessing-token.js';

/**
 * A choice that is not made yet: one token that stands for any of several sequences, each of them
 * fully expanded. It is carried through arguments and tuples as it is, and made only where
 * something depends on it: by # and ##, and where a header's name begins. So the bounds of an
 * iteration are dropped with their tuple before anybody works them out, and a thousand
 * combinations of definitions stay one value.
 */
export type Sequence = readonly Token[];

/** The sequence with the choice at `index` made, once for each alternative. */
function choose(sequence: Sequence, index: number): readonly Sequence[] {
  const token = sequence[index];
  if (token?.alternatives === undefined) return [sequence];
  const { blank, clangBlank, alternatives } = token;
  return alternatives().map((alternative) => [
    ...sequence.slice(0, index),
    ...behindName(clangBlank, behind(blank, alternative)),
    ...sequence.slice(index + 1),
  ]);
}

/**
 * The sequences that are meant, with no choice left at the places asked for: nowhere, at the first
 * and the last token, at the first alone. Undefined if there are more than `bound`.
 */
export function resolve(
  sequence: Sequence,
  places: 'all' | 'ends' | 'first',
  bound: number,
): readonly Sequence[] | undefined {
  const resolved: Sequence[] = [];
  const open = [sequence];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const current = next;
    const index = current.findIndex(
      (token, at) =>
        token.kind === 'deferred' &&
        (places === 'all' || at === 0 || (places === 'ends' && at === current.length - 1)),
    );
    if (index < 0) resolved.push(current);
    else open.push(...choose(current, index));
    if (resolved.length + open.length > bound) return undefined;
  }
  return resolved;
}

/** The choices of one expansion: the same choice is the same token. */
export class Choices {
  readonly #tokens = new Map<string, Token>();
  /** Those whose alternatives are known from the start. */
  readonly #listed = new Map<string, readonly Sequence[]>();

  /** A token for whatever `alternatives` answers when it is asked; `key` is the same for the same. */
  later(key: string, alternatives: () => readonly Sequence[]): Token {
    const known = this.#tokens.get(key);
    if (known !== undefined) return known;
    let answer: readonly Sequence[] | undefined;
    const token: Token = {
      kind: 'deferred',
      text: `\u0202${this.#tokens.size}`,
      ownBlank: false,
      blank: false,
      clangBlank: false,
      painted: false,
      doubtful: false,
      alternatives: () => (answer ??= alternatives()),
    };
    this.#tokens.set(key, token);
    return token;
  }

  /**
   * The same values in fewer sequences: those without parentheses and commas become one choice,
   * and tuples of one shape one tuple of choices. (Which elements belong together is forgotten.)
   */
  merge(values: readonly Sequence[]): readonly Sequence[] {
    if (values.length < 2) return values;
    const shapes = new Map<string, (readonly Part[])[]>();
    for (const value of values) {
      const parts = partsOf(value);
      const shape = parts.map(({ key, fixed }) => (fixed ? key : '\u0203')).join('\u0204');
      const group = shapes.get(shape);
      if (group === undefined) shapes.set(shape, [parts]);
      else group.push(parts);
    }
    return [...shapes.values()].map((group) =>
      (group[0] ?? []).flatMap((part, index) =>
        part.fixed || group.length === 1
          ? part.tokens
          : this.#anyOf(group.flatMap((parts) => parts[index] ?? [])),
      ),
    );
  }

  #anyOf(parts: readonly Part[]): Sequence {
    const alternatives = new Map<string, Sequence>();
    for (const { key, tokens } of parts) {
      const [only, more] = tokens;
      const listed =
        only === undefined || more !== undefined ? undefined : this.#listed.get(only.text);
      if (listed === undefined) alternatives.set(key, tokens);
      else for (const alternative of listed) alternatives.set(keyOf(alternative), alternative);
    }
    const [first, second] = alternatives.values();
    if (first !== undefined && second === undefined) return first;
    const sequences = [...alternatives.values()];
    const token = this.later([...alternatives.keys()].toSorted().join('\u0205'), () => sequences);
    this.#listed.set(token.text, sequences);
    return [token];
  }
}

/** Tokens of a value between two of its parentheses and commas, or one of these. */
interface Part {
  readonly tokens: Sequence;
  readonly key: string;
  /** Part of the shape: it is the same in all values that are merged. */
  readonly fixed: boolean;
}

/** Cut at parentheses and commas; one fixed part if there is a call in it. */
function partsOf(value: Sequence): readonly Part[] {
  if (!value.some(isStructure)) {
    return [{ tokens: value, key: keyOf(value), fixed: value.length === 0 }];
  }
  const parts: Part[] = [];
  let from = 0;
  const cut = (to: number, fixed: boolean): void => {
    const tokens = value.slice(from, to);
    if (to > from) parts.push({ tokens, key: keyOf(tokens), fixed });
    from = to;
  };
  for (const [at, token] of value.entries()) {
    if (!isStructure(token)) continue;
    cut(at, false);
    cut(at + 1, true);
  }
  cut(value.length, false);
  // In `name (…)` the name may be a macro's, for what comes later.
  const hasCall = parts.some(({ fixed }, at) => !fixed && parts[at + 1]?.tokens[0]?.text === '(');
  return hasCall ? [{ tokens: value, key: keyOf(value), fixed: true }] : parts;
}

function isStructure({ kind, text }: Token): boolean {
  return kind === 'punctuator' && (text === '(' || text === ')' || text === ',');
}
