/**
 * What a connection remembers for pump mode: the client's tree, options by number, uploads under
 * way. A connection has one from its first such message on.
 */
import type { Digest } from '../core/digest.js';
import { PUMP } from '../core/limits.js';
import { MalformedFrame } from '../protocol/field-codec.js';
import { unpackNumbers } from '../protocol/number-runs.js';
import type { WireOption } from '../protocol/plain-messages.js';
import type { Blobs, Entries, Gone, Options, PumpJob } from '../protocol/pump-messages.js';
import { BlobReceiver } from './blob-receiver.js';
import type { BlobStore } from './blob-store.js';
import type { ClientTree } from './client-tree.js';

export class ClientPump {
  readonly tree: ClientTree;
  readonly #blobs: BlobStore;
  readonly #log: (what: string) => void;
  readonly #options: WireOption[] = [];
  readonly #uploads = new Map<number, BlobReceiver>();

  /** @param log takes a line about contents that are not what was announced */
  constructor(tree: ClientTree, blobs: BlobStore, log: (what: string) => void) {
    this.tree = tree;
    this.#blobs = blobs;
    this.#log = log;
  }

  /** Throws MalformedFrame, as all of these do. */
  addEntries({ entries }: Entries): void {
    this.tree.add(entries);
  }

  addOptions({ options }: Options): void {
    if (this.#options.length + options.length > PUMP.options) {
      throw new MalformedFrame(`more than ${PUMP.options} options on one connection`);
    }
    this.#options.push(...options);
  }

  gone({ digests }: Gone): void {
    this.tree.gone(digests);
  }

  beginUpload({ job, blobs }: Blobs): void {
    const bad = (digest: Digest, why: string) => {
      this.#log(`content ${digest.slice(0, 16)}: ${why}`);
      this.tree.gone([digest]);
    };
    const upload = new BlobReceiver(blobs, this.#blobs, (digest) => this.tree.arrived(digest), bad);
    this.#uploads.set(job, upload);
  }

  /** The upload with this number. */
  upload(number: number): BlobReceiver | undefined {
    return this.#uploads.get(number);
  }

  /** The options that a job names, in order. */
  optionsOf({ options }: PumpJob): WireOption[] {
    const numbers = unpackNumbers(options, this.#options.length, PUMP.options);
    return numbers.map((number) => this.#options[number] as WireOption);
  }

  /** The entries that a job names. */
  closureOf({ closure }: PumpJob): number[] {
    return unpackNumbers(closure, this.tree.count, this.tree.count);
  }
}
