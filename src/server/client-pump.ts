/**
 * What a connection remembers for pump mode: the client's tree, options by number, uploads under
 * way. A connection has one from its first such message on.
 */
import type { Digest } from '../core/digest.js';
import { PUMP, STORE } from '../core/limits.js';
import { MalformedFrame } from '../protocol/field-codec.js';
import { unpackNumbers } from '../protocol/number-runs.js';
import type { WireOption } from '../protocol/plain-messages.js';
import type { Blobs, Entries, Gone, Options, PumpJob } from '../protocol/pump-messages.js';
import { BlobReceiver } from './blob-receiver.js';
import type { BlobStore } from './blob-store.js';
import type { ClientTree } from './client-tree.js';
import type { JobRecipe } from './compile-job.js';
import { PumpRecipe, type PumpSurroundings } from './pump-recipe.js';

type Ask = (digests: readonly Digest[]) => void;

/** A server's part in pump mode: what its connections share. */
export interface PumpService {
  /**
   * @param ask tells the client which contents are wanted
   * @param log takes a line about contents that are not what was announced
   */
  begin(ask: Ask, log: (what: string) => void): ClientPump;
}

export class ClientPump {
  readonly #tree: ClientTree;
  readonly #blobs: BlobStore;
  readonly #around: PumpSurroundings;
  readonly #log: (what: string) => void;
  readonly #options: WireOption[] = [];
  /** Those under way. */
  readonly #uploads = new Map<number, BlobReceiver>();
  #announced = 0;

  constructor(
    tree: ClientTree,
    blobs: BlobStore,
    around: PumpSurroundings,
    log: (what: string) => void,
  ) {
    this.#tree = tree;
    this.#blobs = blobs;
    this.#around = around;
    this.#log = log;
  }

  /** Throws MalformedFrame, as all of these do. */
  addEntries({ entries }: Entries): void {
    this.#tree.add(entries);
  }

  addOptions({ options }: Options): void {
    // As the client does: a table that would grow too large is begun anew.
    if (this.#options.length + options.length > PUMP.options) this.#options.length = 0;
    this.#options.push(...options);
  }

  gone({ digests }: Gone): void {
    this.#tree.gone(digests);
  }

  beginUpload({ job, blobs }: Blobs): void {
    if (this.#announced + blobs.length > STORE.treeEntries) {
      throw new MalformedFrame(`more than ${STORE.treeEntries} contents under way`);
    }
    const bad = (digest: Digest, why: string) => {
      this.#log(`content ${digest.slice(0, 16)}: ${why}`);
      this.#tree.lost(digest, why);
    };
    const stored = (digest: Digest) => this.#tree.arrived(digest);
    const upload = new BlobReceiver(blobs, this.#blobs, stored, bad);
    void this.#follow(job, upload, blobs.length);
  }

  /** The upload with this number; undefined when it is over, or there was none. */
  upload(number: number): BlobReceiver | undefined {
    return this.#uploads.get(number);
  }

  async #follow(number: number, upload: BlobReceiver, count: number): Promise<void> {
    this.#uploads.set(number, upload);
    this.#announced += count;
    await upload.ended;
    this.#uploads.delete(number);
    this.#announced -= count;
  }

  /** How to do a job. Throws JobRefused. */
  recipeOf(job: PumpJob): JobRecipe {
    const numbers = unpackNumbers(job.options, this.#options.length, PUMP.options);
    const options = numbers.map((number) => this.#options[number] as WireOption);
    const closure = unpackNumbers(job.closure, this.#tree.count + 1, this.#tree.count + 1);
    return new PumpRecipe(job, options, closure, this.#tree, this.#around);
  }

  /** Resolves when nothing of it is left on disk. Rejects with the system's error. */
  async close(): Promise<void> {
    const uploads = [...this.#uploads.values()];
    for (const upload of uploads) upload.abandon();
    await Promise.all(uploads.map(({ ended }) => ended));
    await this.#tree.close();
  }
}
