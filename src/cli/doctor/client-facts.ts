/** What the checks of this host rest on. Types only: look-up-client.ts finds them. */
import type { HostList } from '../../client/host-list.js';
import type { Result } from '../../core/errors.js';

export interface ClientFacts {
  readonly version: string;
  /** Version of the node that runs this. */
  readonly node: string;
  /** Programs in bin/, and why one cannot be run. */
  readonly programs: readonly { readonly path: string; readonly failure: string | undefined }[];
  /** The variables that tscc reads, by name. */
  readonly variables: ReadonlyMap<string, string>;
  /** Of the state directory; the text says why there is none. */
  readonly state: Result<StateFacts, string>;
  readonly sockets: SocketFacts;
  readonly daemon: DaemonFacts;
  readonly hosts: {
    /** The variable or file that has the list. */
    readonly origin: string | undefined;
    readonly list: Result<HostList, string>;
  };
  readonly key: KeyFacts | undefined;
  readonly inotify: {
    /** Null where the kernel does not tell. */
    readonly watches: number | null;
    readonly instances: number | null;
  };
  /** Most open files of a process of this user, that is of the session daemon. */
  readonly openFiles: number;
  readonly compilers: readonly CompilerFacts[];
  /** Where the command was given: mostly the tree that is built. */
  readonly tree: { readonly directory: string; readonly isLocal: boolean };
}

export interface DirectoryFacts {
  readonly directory: string;
  readonly isOwn: boolean;
  /** Permission bits. */
  readonly mode: number;
}

export interface StateFacts extends DirectoryFacts {
  /** The one that the environment asks for. */
  readonly wanted: string;
  /** Bytes. */
  readonly free: number;
  /** Milliseconds by which times of new files are off this host's clock. */
  readonly clockOff: number;
  /** Times of files have whole seconds. */
  readonly isCoarse: boolean;
  readonly isLocal: boolean;
}

/** The directory of sockets. */
export interface SocketFacts extends DirectoryFacts {
  readonly isThere: boolean;
  /** It, or where it is not there the one in which it is made. */
  readonly isWritable: boolean;
}

export type DaemonFacts =
  | { readonly kind: 'none'; readonly hasFailed: boolean; readonly log: string }
  | { readonly kind: 'answers'; readonly version: string; readonly pid: number }
  | { readonly kind: 'silent'; readonly why: string };

export interface KeyFacts {
  readonly path: string;
  readonly failure: string | undefined;
}

export interface CompilerFacts {
  readonly name: string;
  readonly candidates: readonly { readonly path: string; readonly wrapper: string | undefined }[];
  /** Of the first real one: what it is, or the reason for which its compiles stay here. */
  readonly identity: { readonly is: string } | { readonly declined: string } | undefined;
}
