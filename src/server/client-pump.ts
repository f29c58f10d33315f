/**
 * What a connection remembers for pump mode: the client's tree, options by number, uploads under
 * way. A connection has one from its first such message on.
 */
import type { Digest } from '../core/digest.js';
import { PUMP, STORE } from '../core/limits.js';
import { MalformedFrame } from '../protocol/field-codec.js';
import { unpackNumbers } from '../protocol/number-runs.js';
import type { WireOption } from '../protocol/plain-messages.js';
import type {
  Blobs,
  Entries,
  Gone,
  Options,
  PrecompiledRecipe,
  PumpJob,
} from '../protocol/pump-messages.js';
import { BlobReceiver } from './blob-receiver.js';
import type { BlobStore } from './blob-store.js';
import type { ClientTree } from './client-tree.js';
import type { JobRecipe } from './compile-job.js';
import { JobRefused } from './job-refused.js';
import {
  PrecompiledHeader,
  PrecompiledHeaders,
  type HeaderSurroundings,
} from './precompiled-header.js';
import { PumpRecipe, type WantedHeader } from './pump-recipe.js';
import type { Share } from './shared-room.js';

/** A client, as far as pump mode needs it. */
export interface PumpPeer {
  /** As `originOf` has it. */
  readonly origin: string;
  /** Tells it which contents are wanted. */
  ask(digests: readonly Digest[]): void;
  /** Takes a line about contents that are not what was announced. */
  log(what: string): void;
  /** Ends its connection. */
  close(why: string): void;
}

/** A server's part in pump mode: what its connections share. */
export interface PumpService {
  begin(peer: PumpPeer): ClientPump;
}

/** What an array's element and an option take besides their text, about. */
const NUMBER_BYTES = 8;
const OPTION_BYTES = 100;

export class ClientPump {
  readonly #tree: ClientTree;
  readonly #blobs: BlobStore;
  readonly #around: HeaderSurroundings;
  readonly #log: (what: string) => void;
  readonly #options: WireOption[] = [];
  readonly #headers = new PrecompiledHeaders();
  /** Those under way. */
  readonly #uploads = new Map<number, BlobReceiver>();
  readonly #share: Share;
  #announced = 0;
  #optionBytes = 0;
  /** Numbers in the closures of recipes. */
  #recipeNumbers = 0;

  constructor(
    tree: ClientTree,
    blobs: BlobStore,
    around: HeaderSurroundings,
    share: Share,
    log: (what: string) => void,
  ) {
    this.#tree = tree;
    this.#share = share;
    this.#blobs = blobs;
    this.#around = around;
    this.#log = log;
  }

  /** Throws MalformedFrame, as all of these do. */
  addEntries({ entries }: Entries): void {
    this.#tree.add(entries);
    this.#weigh();
  }

  addOptions({ options }: Options): void {
    // As the client does: a table that would grow too large is begun anew.
    if (this.#options.length + options.length > PUMP.options) {
      this.#options.length = 0;
      this.#optionBytes = 0;
    }
    this.#options.push(...options);
    for (const [name, value] of options) {
      this.#optionBytes += OPTION_BYTES + name.length + (value?.length ?? 0);
    }
    this.#weigh();
  }

  addHeader(recipe: PrecompiledRecipe): void {
    if (this.#headers.count === PUMP.precompiled) {
      throw new MalformedFrame(`more than ${PUMP.precompiled} precompiled headers`);
    }
    const { options, closure } = this.#numbersOf(recipe);
    this.#recipeNumbers += options.length + closure.length;
    this.#weigh();
    const { signal } = this.#headers;
    try {
      this.#headers.add(
        new PrecompiledHeader(recipe, options, closure, this.#tree, this.#around, signal),
      );
    } catch (error) {
      // There is no job yet to refuse.
      if (error instanceof JobRefused) throw new MalformedFrame(error.message);
      throw error;
    }
  }

  #weigh(): void {
    const bytes = this.#tree.toldBytes + this.#optionBytes + NUMBER_BYTES * this.#recipeNumbers;
    this.#share.holds(bytes);
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
    const { options, closure } = this.#numbersOf(job);
    const headers = unpackNumbers(job.precompiled, this.#headers.count, PUMP.precompiled).map(
      (number): WantedHeader => {
        const header = this.#headers.at(number) as PrecompiledHeader;
        return {
          path: header.path,
          arrive: (signal) => header.arrive(signal),
          hold: () => this.#headers.hold(header),
        };
      },
    );
    return new PumpRecipe(job, options, closure, this.#tree, headers, this.#around);
  }

  #numbersOf(packed: { readonly options: Uint8Array; readonly closure: Uint8Array }) {
    const numbers = unpackNumbers(packed.options, this.#options.length, PUMP.options);
    return {
      options: numbers.map((number) => this.#options[number] as WireOption),
      closure: unpackNumbers(packed.closure, this.#tree.count + 1, this.#tree.count + 1),
    };
  }

  /** Resolves when nothing of it is left on disk. Rejects with the system's error. */
  async close(): Promise<void> {
    this.#share.close();
    const uploads = [...this.#uploads.values()];
    for (const upload of uploads) upload.abandon();
    await Promise.all(uploads.map(({ ended }) => ended));
    await this.#headers.close();
    await this.#tree.close();
  }
}
