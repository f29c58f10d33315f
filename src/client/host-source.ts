/**
 * Which host list applies to a command: TSCC_HOSTS, else the first hosts file that exists. Parsed
 * lists are kept by their text, and files are read again when their size or time has changed.
 */
import { fromText, toText, type ByteString } from '../core/byte-string.js';
import { failure, success, type Result } from '../core/errors.js';
import type { FileFacts, Files } from '../platform/files.js';
import { describeHostListError, parseHostList, type HostList } from './host-list.js';
import type { Settings } from './settings.js';

const NONE: HostList = {
  remote: [],
  localhost: 0,
  localSlots: undefined,
  preprocessSlots: undefined,
  randomize: false,
};

export class HostSource {
  readonly #files: Files;
  readonly #stateDirectory: ByteString;
  readonly #random: () => number;
  readonly #parsed = new Map<string, Result<HostList, string>>();
  readonly #read = new Map<ByteString, { readonly facts: FileFacts; readonly text: ByteString }>();

  /** @param random as Math.random */
  constructor(stateDirectory: ByteString, files: Files, random = Math.random) {
    this.#random = random;
    this.#stateDirectory = stateDirectory;
    this.#files = files;
  }

  /** The list, or one line that says where it is wrong. No list at all is an empty one. */
  hostsFor(settings: Settings): Result<HostList, string> {
    const found = this.#find(settings);
    return found === undefined ? success(NONE) : this.#parse(found.text, found.origin);
  }

  /** The variable or file that has the list; undefined when there is none. */
  originFor(settings: Settings): ByteString | undefined {
    return this.#find(settings)?.origin;
  }

  #find(
    settings: Settings,
  ): { readonly origin: ByteString; readonly text: ByteString } | undefined {
    const { hosts, configHome } = settings;
    if (hosts !== undefined) return { origin: hosts.variable, text: hosts.list };
    for (const origin of hostFiles(this.#stateDirectory, configHome)) {
      const text = this.#contents(origin);
      if (text !== undefined) return { origin, text };
    }
    return undefined;
  }

  #contents(path: ByteString): ByteString | undefined {
    const facts = this.#files.stat(path);
    if (facts?.kind !== 'file') return undefined;
    const known = this.#read.get(path);
    if (known?.facts.size === facts.size && known.facts.modified === facts.modified) {
      return known.text;
    }
    if (!this.#files.canRead(path)) return undefined;
    const text = this.#files.read(path);
    this.#read.set(path, { facts, text });
    return text;
  }

  #parse(text: ByteString, origin: ByteString): Result<HostList, string> {
    const key = `${origin}\0${text}`;
    let parsed = this.#parsed.get(key);
    if (parsed === undefined) {
      const result = parseHostList(text);
      parsed = result.ok
        ? success(this.#shuffled(result.value))
        : failure(fromText(describeHostListError(result.error, toText(origin))));
      this.#parsed.set(key, parsed);
    }
    return parsed;
  }

  /**
   * With --randomize, hosts in an order of this daemon's own: among equals the first is taken, and
   * not every client shall begin with the same one.
   */
  #shuffled(list: HostList): HostList {
    if (!list.randomize) return list;
    const drawn = list.remote.map((host) => ({ host, lot: this.#random() }));
    return { ...list, remote: drawn.toSorted((a, b) => a.lot - b.lot).map(({ host }) => host) };
  }
}

/** Candidates in order of preference. */
function hostFiles(stateDirectory: ByteString, configHome: ByteString | undefined): ByteString[] {
  return [
    `${stateDirectory}/hosts`,
    ...(configHome === undefined ? [] : [`${configHome}/tscc/hosts`]),
    '/etc/tscc/hosts',
  ];
}
