/** What the checks of one server rest on. Types only: look-up-servers.ts finds them. */
import type { DialStep } from '../../client/dial.js';
import type { RemoteHost } from '../../client/host-list.js';
import type { HostAnswer } from '../host-answer.js';

export interface ServerFacts {
  readonly host: RemoteHost;
  /** How well it must seal a job off. */
  readonly minTier: number;
  /** The key that a connection is opened with. */
  readonly keyFile: string | undefined;
  /** Whether its port can be reached, be that with a key or not. */
  readonly reach:
    | { readonly address: string | undefined }
    | { readonly step: DialStep; readonly why: string; readonly address: string | undefined };
  readonly answer: HostAnswer;
  /** Compilers that it was asked for, in the order of the answer. */
  readonly toolchains: readonly { readonly name: string; readonly version: string }[];
  readonly trials: readonly Trial[];
}

/** A compile that was really done, and compared with one here. */
export interface Trial {
  readonly mode: 'pump' | 'plain';
  readonly result:
    | {
        readonly kind: 'same';
        /** Milliseconds: the first, which sends what the server lacks; the second; one here. */
        readonly first: number;
        readonly again: number;
        readonly here: number;
      }
    | { readonly kind: 'differs' }
    | { readonly kind: 'failed'; readonly why: string };
}
