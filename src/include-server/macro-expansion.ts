import type { ByteString } from '../core/byte-string.js';
import { INCLUDES } from '../core/include-limits.js';
import { Choices, resolve, type Sequence } from './deferred-choice.js';
import {
  behindName,
  keyOf,
  OPAQUE,
  withBlank,
  withEitherBlanks,
  type Token,
} from './preprocessing-token.js';
import { argumentsIn, closingParenthesis, endOfElement, endOfGroups } from './macro-call.js';
import {
  accepts,
  commaRules,
  gather,
  replacementListOf,
  substitute,
  type ReplacementList,
} from './replacement-list.js';
import type { MacroDefinition } from './scanned-file.js';

/** Every definition that was seen of a macro, wherever and under whatever #if; none if none. */
export interface MacroTable {
  definitionsOf(name: ByteString): readonly MacroDefinition[];
}

/** What a sequence may expand to. */
interface Expansion {
  readonly done: Sequence;
  /**
   * A macro's name at the end, or a call without its end: what follows decides. Empty otherwise.
   */
  readonly open: Sequence;
}

/** A sequence's expansions by their key, so that what comes out alike is one. */
type Expansions = ReadonlyMap<string, Expansion>;

/** A call's expansions, good wherever those of `seen` that are being expanded are `disabled`. */
interface Known {
  readonly seen: ReadonlySet<ByteString>;
  readonly disabled: ReadonlySet<ByteString>;
  readonly expansions: Expansions;
}

interface Call {
  readonly name: Token;
  readonly args: readonly Sequence[] | undefined;
  readonly commas: Sequence;
}

/** Macros around the place that is being scanned: they are not expanded again. */
type Around = ReadonlySet<ByteString>;

const NONE: Sequence = [];
const UNKNOWN: Expansions = new Map([['', { done: [OPAQUE], open: NONE }]]);
/** Shape of the names that a compiler defines by itself. */
const RESERVED = /^__\w+__$/;

/**
 * Expands token sequences as GCC and Clang do, but with all definitions of each macro at once, and
 * as if each object-like macro might also not be defined. Memory is kept per object: one serves
 * one table, as long as that does not change.
 *
 * A call is expanded by itself and what comes of it is joined to what comes of the rest; so the
 * work grows with the different calls, not with the combinations of definitions. Only where an
 * expansion ends in the name of a function-like macro is it scanned again with what follows.
 */
export class MacroExpansion {
  readonly #macros: MacroTable;
  readonly #choices = new Choices();
  readonly #known = new Map<string, Known[]>();
  #calls = 0;
  #depth = 0;
  #exhausted = false;
  readonly #met = new Set<ByteString>();
  /** Names of macros met since the innermost call began. */
  #seen = new Set<ByteString>();

  constructor(macros: MacroTable) {
    this.#macros = macros;
  }

  /** A bound of INCLUDES was hit: something is opaque that need not be. */
  get exhausted(): boolean {
    return this.#exhausted;
  }

  /** Every macro that came into play. */
  get met(): ReadonlySet<ByteString> {
    return this.#met;
  }

  /** Every full expansion of a sequence by itself: of an operand, or of an argument. */
  expand(tokens: Sequence, around: Around = new Set()): readonly Sequence[] {
    const complete = new Map<string, Sequence>();
    for (const { done, open } of this.#scan(tokens, around, 0).values()) {
      // A call without an end is an error; a mere name stays.
      if (open.length > 1) continue;
      const value = [...done, ...open];
      complete.set(keyOf(value), value);
    }
    return this.#choices.merge([...complete.values()]);
  }

  /** `nesting`: parentheses around the sequence's start. */
  #scan(tokens: Sequence, around: Around, nesting: number): Expansions {
    const head: Token[] = [];
    let depth = nesting;
    for (let at = 0; at < tokens.length; at++) {
      let token = tokens[at] as Token;
      if (token.kind === 'deferred' && tokens[at + 1]?.text === '(') {
        // It may be the name of a macro.
        return this.#scanChoices(head, tokens.slice(at), around, depth);
      }
      if (token.kind === 'punctuator') {
        if (token.text === '(') {
          if (head.at(-1)?.kind === 'opaque') {
            // It may be the name of a macro, whose arguments these were.
            at = closingParenthesis(tokens, at);
            continue;
          }
          depth++;
        } else if (token.text === ')') depth--;
      } else if (token.kind === 'identifier' && !token.painted) {
        const definitions = this.#macros.definitionsOf(token.text);
        if (definitions.length > 0) {
          this.#seen.add(token.text);
          this.#met.add(token.text);
          if (!around.has(token.text)) {
            const end = depth > 0 ? endOfElement(tokens, at) : at;
            if (end > at) {
              head.push(this.#later(tokens.slice(at, end), around));
              at = end - 1;
              continue;
            }
            return this.#scanFromMacro(head, tokens, at, definitions, around, depth);
          }
          token = { ...token, painted: true };
        } else if (RESERVED.test(token.text)) {
          token = { ...token, kind: 'opaque' };
        }
      }
      if (token.kind === 'identifier' || token.kind === 'number') {
        const end = endOfGroups(tokens, at + 1);
        if (end > at + 1) {
          token = this.#callOfNoMacro(token, tokens.slice(at + 1, end), around);
          at = end - 1;
        }
      }
      head.push(token);
    }
    return single({ done: head, open: NONE });
  }

  /** `head`, then what comes of the macro at `at`, then what comes of the rest. */
  #scanFromMacro(
    head: Sequence,
    tokens: Sequence,
    at: number,
    definitions: readonly MacroDefinition[],
    around: Around,
    depth: number,
  ): Expansions {
    const name = tokens[at] as Token;
    const results = new Map<string, Expansion>();
    const joinRest = (expansions: Expansions, from: number): void => {
      for (const { done, open } of expansions.values()) {
        const begun = [...head, ...behindName(name.clangBlank, done)];
        const rest = tokens.slice(from);
        const blank = name.clangBlank && done.length === 0;
        if (open.length > 0) {
          const tail = behindName(blank, [...open, ...rest]);
          if (rest.length === 0) add(results, { done: begun, open: tail });
          else this.#append(results, begun, this.#scan(tail, around, depth));
        } else {
          const skipped = isOpaqueCall(begun, rest)
            ? rest.slice(closingParenthesis(rest, 0) + 1)
            : rest;
          this.#append(results, begun, this.#scan(behindName(blank, skipped), around, depth));
        }
      }
    };
    const lists = definitions.map(replacementListOf);
    const objects = lists.filter((list) => !list.isFunction);
    const functions = lists.filter((list) => list.isFunction);
    if (objects.length > 0) {
      const call = { name, args: undefined, commas: NONE };
      const expansions = new Map(this.#expansionsOf(call, objects, around));
      // Not defined at this place, perhaps.
      add(expansions, { done: [{ ...name, clangBlank: false }], open: NONE });
      joinRest(expansions, at + 1);
    }
    if (functions.length > 0) {
      const next = tokens[at + 1];
      if (next === undefined) {
        add(results, { done: head, open: [name] });
      } else if (next.text === '(') {
        const end = closingParenthesis(tokens, at + 1);
        if (end === tokens.length) {
          add(results, { done: head, open: tokens.slice(at) });
        } else {
          const call = { name, ...argumentsIn(tokens, at + 1, end) };
          joinRest(this.#expansionsOf(call, functions, around), end + 1);
        }
      } else {
        joinRest(single({ done: [{ ...name, clangBlank: false }], open: NONE }), at + 1);
      }
    }
    return results;
  }

  #scanChoices(head: Sequence, tokens: Sequence, around: Around, depth: number): Expansions {
    const results = new Map<string, Expansion>();
    const choices = resolve(tokens, 'first', INCLUDES.macroValues);
    for (const chosen of choices ?? [[OPAQUE, ...tokens.slice(1)]]) {
      this.#append(results, head, this.#scan(chosen, around, depth));
    }
    return results;
  }

  /**
   * An element of a tuple is expanded when it is asked for: most are dropped with their tuple. That
   * it stays one element, with no comma in its expansion, is taken for granted; Boost does so too.
   */
  #later(tokens: Sequence, around: Around): Token {
    const [first = OPAQUE] = tokens;
    const token = this.#choices.later(keyOf(tokens), () => this.expand(tokens, around));
    return blankAs(token, first);
  }

  /** A call of something that is no macro, as one token: only what is pasted to it changes it. */
  #callOfNoMacro(name: Token, groups: Sequence, around: Around): Token {
    const key = keyOf([withBlank(name, false), ...groups]);
    const token = this.#choices.later(`\u0206${key}`, () => {
      const sets = [[[withBlank(name, false)]], ...this.#groupChoices(groups, around)];
      return product(sets)?.map((choice) => choice.flat()) ?? [[OPAQUE]];
    });
    return blankAs(token, name);
  }

  /** For each of `(…)(…)`: its parentheses and what may be between them. */
  #groupChoices(groups: Sequence, around: Around): (readonly Sequence[])[] {
    const sets: (readonly Sequence[])[] = [];
    for (let at = 0; at < groups.length;) {
      const end = closingParenthesis(groups, at);
      sets.push([groups.slice(at, at + 1)], this.expand(groups.slice(at + 1, end), around));
      sets.push([groups.slice(end, end + 1)]);
      at = end + 1;
    }
    return sets;
  }

  #append(results: Map<string, Expansion>, begun: Sequence, rest: Expansions): void {
    for (const { done, open } of rest.values()) {
      add(results, { done: [...begun, ...done], open });
    }
  }

  /** What a call may expand to, by one of these definitions; none that GCC takes: nothing at all. */
  #expansionsOf(call: Call, lists: readonly ReplacementList[], around: Around): Expansions {
    const key = keyOfCall(call);
    const entries = this.#known.get(key) ?? [];
    for (const known of entries) {
      if (!isGoodIn(known, around)) continue;
      for (const name of known.seen) this.#seen.add(name);
      return known.expansions;
    }
    if (this.#calls >= INCLUDES.macroCalls || this.#depth >= INCLUDES.macroDepth) {
      this.#exhausted = true;
      return UNKNOWN;
    }
    this.#calls++;
    this.#depth++;
    const outer = this.#seen;
    this.#seen = new Set();
    const results = new Map<string, Expansion>();
    const inside = new Set(around).add(call.name.text);
    for (const list of lists) {
      for (const sequence of this.#replacements(call, list, around)) {
        for (const [text, expansion] of this.#scan(sequence, inside, 0))
          results.set(text, expansion);
      }
    }
    const expansions = results.size > INCLUDES.macroValues ? UNKNOWN : this.#merged(results);
    const seen = this.#seen;
    seen.delete(call.name.text);
    const disabled = new Set([...seen].filter((name) => around.has(name)));
    this.#known.set(key, [...entries, { seen, disabled, expansions }]);
    for (const name of seen) outer.add(name);
    this.#seen = outer;
    this.#depth--;
    return expansions;
  }

  #merged(expansions: Expansions): Expansions {
    if (expansions.size < 2) return expansions;
    const results = new Map<string, Expansion>();
    const closed: Sequence[] = [];
    for (const [key, expansion] of expansions) {
      if (expansion.open.length > 0) results.set(key, expansion);
      else closed.push(expansion.done);
    }
    for (const done of this.#choices.merge(closed)) add(results, { done, open: NONE });
    return results;
  }

  /** The replacement lists with every choice of what the arguments expand to. */
  #replacements(call: Call, list: ReplacementList, around: Around): Iterable<Sequence> {
    const { args } = call;
    if (args !== undefined && !accepts(list, args)) return [];
    const written = args === undefined ? [] : gather(list, args, call.commas);
    const raws = product(written.map((arg, index) => writtenChoices(list, index, arg)));
    const values = product(
      written.map((arg, index) =>
        list.expanded.includes(index) ? this.expand(arg, around) : [arg],
      ),
    );
    const ways = (raws?.length ?? Infinity) * (values?.length ?? Infinity);
    if (raws === undefined || values === undefined || ways > INCLUDES.macroValues) {
      this.#exhausted = true;
      return [[OPAQUE]];
    }
    const replacements = new Map<string, Sequence>();
    for (const dropsComma of commaRules(list, args ?? [])) {
      for (const raw of raws) {
        for (const expanded of values) {
          const tokens = substitute(list, { raw, expanded, dropsComma });
          if (tokens === undefined) continue;
          const bounded = tokens.length > INCLUDES.macroTokens ? [OPAQUE] : tokens;
          replacements.set(keyOf(bounded), bounded);
        }
      }
    }
    return replacements.values();
  }
}

/** An argument as it is written, with the choices made that # and ## depend on. */
function writtenChoices(list: ReplacementList, index: number, arg: Sequence): readonly Sequence[] {
  const places = list.stringified.includes(index) ? 'all' : 'ends';
  if (places === 'ends' && !list.pasted.includes(index)) return [arg];
  const resolved = resolve(arg, places, INCLUDES.macroValues) ?? [[OPAQUE]];
  return places === 'all' ? resolved.flatMap(withEitherBlanks) : resolved;
}

function blankAs(token: Token, { blank, clangBlank }: Token): Token {
  return { ...token, blank, clangBlank };
}

/** Every combination of one of each; undefined if there are too many. */
function product(sets: readonly (readonly Sequence[])[]): readonly Sequence[][] | undefined {
  let combinations: Sequence[][] = [[]];
  for (const set of sets) {
    if (combinations.length * set.length > INCLUDES.macroValues) return undefined;
    combinations = combinations.flatMap((begun) => set.map((value) => [...begun, value]));
  }
  return combinations;
}

function single(expansion: Expansion): Expansions {
  return new Map([[keyOfExpansion(expansion), expansion]]);
}

function add(results: Map<string, Expansion>, expansion: Expansion): void {
  results.set(keyOfExpansion(expansion), expansion);
}

function keyOfExpansion({ done, open }: Expansion): string {
  return open.length === 0 ? keyOf(done) : `${keyOf(done)}\u0200${keyOf(open)}`;
}

function keyOfCall({ name, args }: Call): string {
  return args === undefined ? name.text : `${name.text}\u0200${args.map(keyOf).join('\u0201')}`;
}

function isGoodIn(known: Known, around: Around): boolean {
  for (const name of known.disabled) if (!around.has(name)) return false;
  for (const name of around) if (known.seen.has(name) && !known.disabled.has(name)) return false;
  return true;
}

function isOpaqueCall(begun: Sequence, rest: Sequence): boolean {
  const last = begun.at(-1);
  return last !== undefined && last.kind === 'opaque' && rest[0]?.text === '(';
}
