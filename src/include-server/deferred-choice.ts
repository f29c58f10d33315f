import { keyOf, withBlank, type Token } from './preprocessing-token.js';

/**
 * A choice that is not made yet: one token that stands for any of several sequences, each of them
 * fully expanded. It is carried through arguments and tuples as it is, and made only where
 * something depends on it: by # and ##, and where a header's name begins. So the bounds of an
 * iteration are dropped with their tuple before anybody works them out, and a thousand
 * combinations of definitions stay one value.
 */
export type Sequence = readonly Token[];

/** A token for whatever `alternatives` answers when it is asked; `key` is the same for the same. */
export function deferred(key: string, alternatives: () => readonly Sequence[]): Token {
  let answer: readonly Sequence[] | undefined;
  return {
    kind: 'deferred',
    text: key,
    ownBlank: false,
    blank: false,
    painted: false,
    doubtful: false,
    alternatives: () => (answer ??= alternatives()),
  };
}

/** The sequence with the choice at `index` made, once for each alternative. */
function choose(sequence: Sequence, index: number): readonly Sequence[] {
  const token = sequence[index];
  if (token?.alternatives === undefined) return [sequence];
  const { blank, alternatives } = token;
  return alternatives().map((alternative) => {
    const [first, ...others] = alternative;
    const chosen = first === undefined ? [] : [blank ? withBlank(first, true) : first, ...others];
    return [...sequence.slice(0, index), ...chosen, ...sequence.slice(index + 1)];
  });
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

/**
 * The same values in fewer sequences: those without parentheses and commas become one choice, and
 * tuples of one shape one tuple of choices. (Which elements belong together is forgotten.)
 */
export function merged(values: readonly Sequence[]): readonly Sequence[] {
  if (values.length < 2) return values;
  const shapes = new Map<string, Sequence[][]>();
  for (const value of values) {
    const parts = partsOf(value);
    const shape = parts.map((part) => (isFixed(part) ? keyOf(part) : '\u0203')).join('\u0204');
    shapes.set(shape, [...(shapes.get(shape) ?? []), parts]);
  }
  return [...shapes.values()].map((group) => {
    const [first = []] = group;
    if (group.length === 1) return first.flat();
    return first.flatMap((part, index) => {
      if (isFixed(part)) return part;
      const choices = new Map(group.map((parts) => [keyOf(parts[index] ?? []), parts[index] ?? []]));
      const [only, ...more] = choices;
      if (only !== undefined && more.length === 0) return only[1];
      return deferred([...choices.keys()].sort().join('\u0205'), () =>
        flattened([...choices.values()]),
      );
    });
  });
}

/** Choices of choices are choices. */
function flattened(values: readonly Sequence[]): readonly Sequence[] {
  return values.flatMap((value) => {
    const [only, more] = value;
    return more === undefined && only?.alternatives !== undefined ? only.alternatives() : [value];
  });
}

/** Cut at parentheses and commas, if it is a tuple; else whole. */
function partsOf(value: Sequence): Sequence[] {
  if (!value.some(isStructure)) return [value];
  const parts: Sequence[] = [];
  let from = 0;
  value.forEach((token, at) => {
    if (!isStructure(token)) return;
    if (at > from) parts.push(value.slice(from, at));
    parts.push([token]);
    from = at + 1;
  });
  if (from < value.length) parts.push(value.slice(from));
  // `name (…)` is no tuple: the name may be a macro's for what comes later.
  const calls = parts.some((part, at) => !isFixed(part) && parts[at + 1]?.[0]?.text === '(');
  return value[0]?.text === '(' && !calls ? parts : parts.map((part) => (isFixed(part) ? part : fixed(part)));
}

function isStructure({ kind, text }: Token): boolean {
  return kind === 'punctuator' && (text === '(' || text === ')' || text === ',');
}

const fixedParts = new WeakSet<Sequence>();

function fixed(part: Sequence): Sequence {
  fixedParts.add(part);
  return part;
}

/** Part of the shape: it is the same in all values that are merged. Nothing at all is one, too. */
function isFixed(part: Sequence): boolean {
  return part.length === 0 || fixedParts.has(part) || (part[0] !== undefined && isStructure(part[0]));
}
