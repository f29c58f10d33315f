/** Answers of one search path, by question, with what it costs to keep them. */
import type { HeaderClosure } from './header-closure.js';
import type { NotCovered } from './include-graph.js';

export type ClosureAnswer =
  | { readonly kind: 'closure'; readonly closure: HeaderClosure }
  | { readonly kind: 'not-covered'; readonly why: NotCovered };

export interface KnownAnswer {
  /** The tree's. */
  readonly version: number;
  readonly answer: ClosureAnswer;
}

export class KnownAnswers {
  /** The one given last comes last. */
  readonly #byQuestion = new Map<string, KnownAnswer>();
  #weight = 0;

  /** References that are held: eight bytes each. */
  get weight(): number {
    return this.#weight;
  }

  get(question: string): KnownAnswer | undefined {
    return this.#byQuestion.get(question);
  }

  set(question: string, known: KnownAnswer): void {
    this.#delete(question);
    this.#byQuestion.set(question, known);
    this.#weight += weightOf(question, known);
  }

  deleteOldest(): void {
    for (const oldest of this.#byQuestion.keys()) return this.#delete(oldest);
  }

  #delete(question: string): void {
    const known = this.#byQuestion.get(question);
    if (known === undefined) return;
    this.#byQuestion.delete(question);
    this.#weight -= weightOf(question, known);
  }
}

/** With some for the objects themselves. */
function weightOf(question: string, { answer }: KnownAnswer): number {
  const ofClosure = answer.kind === 'closure' ? answer.closure.weight : 0;
  return 40 + Math.ceil(question.length / 8) + ofClosure;
}
