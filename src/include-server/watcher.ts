/**
 * Hears of changes through tscc-watch (twin: native/watch.c, grammar: docs/protocol.md §4). It
 * holds no facts: what the changes mean is its listener's business.
 *
 *   running ──process ends, frame malformed, cookie overdue──▶ lost
 *      └──────────────────────close────────────────────────▶ closed
 */
import type { ByteString } from '../core/byte-string.js';
import { INCLUDES } from '../core/include-limits.js';
import type { Clock } from '../platform/clock.js';
import type { PipedProcess } from '../platform/piped-process.js';
import type { Inode } from './file-stamp.js';
import { Fields, FieldWriter, FrameSplitter, MalformedFrame } from '../protocol/field-codec.js';

const TO_WATCH = { names: 0x01, content: 0x02, remove: 0x03, cookie: 0x04 } as const;

const FROM_WATCH = {
  added: 0x81,
  refused: 0x82,
  changed: 0x83,
  reached: 0x84,
  overflow: 0x85,
  mounts: 0x86,
} as const;

const TAG = { id: 1, path: 2, watch: 3, mask: 4, name: 5, errno: 6, device: 7, inode: 8 } as const;

/** Bits of inotify(7)'s masks that mean more than "it has changed". */
export const WATCH_MASK = {
  /** IN_MOVED_FROM, IN_DELETE: there is no such name in the directory any more. */
  gone: 0x240,
  /** IN_IGNORED: the watch is no more. */
  ignored: 0x8000,
} as const;

export interface WatchListener {
  /** What happens from now on to that file or directory will be told under this number. */
  added(request: number, watch: number, inode: Inode): void;
  /** It cannot be watched. `errno` is the system's number. */
  refused(request: number, errno: number): void;
  /** @param name in a directory; undefined: the watched file or directory itself */
  changed(watch: number, mask: number, name: ByteString | undefined): void;
  /** Some changes will never be told. */
  overflowed(): void;
  /** Some path may now lead into another file system. */
  remounted(): void;
  /** Nothing will be told any more. */
  lost(reason: string): void;
}

type State =
  | { readonly kind: 'running'; awaited: Cookie | undefined }
  | { readonly kind: 'lost' }
  | { readonly kind: 'closed' };

interface Cookie {
  readonly id: number;
  readonly answer: (isReached: boolean) => void;
}

export class Watcher {
  readonly #process: PipedProcess;
  readonly #listener: WatchListener;
  readonly #clock: Clock;
  #state: State = { kind: 'running', awaited: undefined };
  #lastId = 0;
  readonly #unsent: Buffer[] = [];

  /** @param process tscc-watch, just started */
  constructor(process: PipedProcess, listener: WatchListener, clock: Clock) {
    this.#process = process;
    this.#listener = listener;
    this.#clock = clock;
    const splitter = new FrameSplitter(INCLUDES.watchFrameBytes);
    process.stdout.on('data', (bytes: Buffer) => {
      try {
        for (const { type, body } of splitter.push(bytes)) this.#receive(type, new Fields(body));
      } catch (error) {
        if (!(error instanceof MalformedFrame)) throw error;
        this.#lose(`tscc-watch sent a malformed frame: ${error.message}`);
      }
    });
    void process.ended.then((how) => this.#lose(`tscc-watch ended: ${how}`));
  }

  /**
   * Asks for a watch: `names` that come and go in a directory, or the `content` and mode of a file.
   *
   * @returns number under which the listener gets the answer
   */
  add(what: 'names' | 'content', path: ByteString): number {
    const id = ++this.#lastId;
    this.#send(new FieldWriter().add(TAG.id, id).add(TAG.path, path).finish(TO_WATCH[what]));
    return id;
  }

  remove(watch: number): void {
    this.#send(new FieldWriter().add(TAG.watch, watch).finish(TO_WATCH.remove));
  }

  /**
   * Resolves when everything has been told that happened before the call, answers to `add`
   * included; with false when the watcher is lost. One at a time.
   */
  async reach(): Promise<boolean> {
    const state = this.#state;
    if (state.kind !== 'running') return false;
    if (state.awaited !== undefined) throw new Error('Internal error: a cookie is on its way');
    const id = ++this.#lastId;
    return new Promise<boolean>((resolve) => {
      const overdue = this.#clock.after(INCLUDES.cookieAnswer, () => {
        this.#lose(`tscc-watch has not answered for ${INCLUDES.cookieAnswer} ms`);
      });
      const answer = (isReached: boolean): void => {
        overdue.cancel();
        resolve(isReached);
      };
      state.awaited = { id, answer };
      this.#send(new FieldWriter().add(TAG.id, id).finish(TO_WATCH.cookie));
    });
  }

  /** Resolves when the process is gone. */
  async close(): Promise<void> {
    this.#stop({ kind: 'closed' });
    this.#process.stdin.end();
    // It may be stopped, and holds nothing that could be damaged.
    this.#process.kill();
    await this.#process.ended;
  }

  #send(frame: Buffer): void {
    if (this.#state.kind !== 'running') return;
    // A cold start asks for hundreds of watches in one turn: one write for all.
    this.#unsent.push(frame);
    if (this.#unsent.length > 1) return;
    process.nextTick(() => {
      const frames = Buffer.concat(this.#unsent.splice(0));
      // Its end may have come in the same turn, and with it the stream's.
      if (this.#state.kind === 'running') this.#process.stdin.write(frames);
    });
  }

  #receive(type: number, fields: Fields): void {
    const state = this.#state;
    if (state.kind !== 'running') return;
    switch (type) {
      case FROM_WATCH.added:
        return this.#listener.added(fields.number(TAG.id), fields.number(TAG.watch), {
          // As node:fs rounds them.
          dev: Number(fields.bigNumber(TAG.device)),
          ino: Number(fields.bigNumber(TAG.inode)),
        });
      case FROM_WATCH.refused:
        return this.#listener.refused(fields.number(TAG.id), fields.number(TAG.errno));
      case FROM_WATCH.changed:
        return this.#listener.changed(
          fields.number(TAG.watch),
          fields.number(TAG.mask),
          fields.strings(TAG.name)[0],
        );
      case FROM_WATCH.reached: {
        const cookie = state.awaited;
        if (cookie?.id !== fields.number(TAG.id)) throw new MalformedFrame('an unknown cookie');
        state.awaited = undefined;
        return cookie.answer(true);
      }
      case FROM_WATCH.overflow:
        return this.#listener.overflowed();
      case FROM_WATCH.mounts:
        return this.#listener.remounted();
      default:
        throw new MalformedFrame(`unknown frame type ${type}`);
    }
  }

  #lose(reason: string): void {
    if (this.#state.kind !== 'running') return;
    // The listener first: who waits for the cookie must find it told.
    this.#listener.lost(reason);
    this.#stop({ kind: 'lost' });
    this.#process.kill();
  }

  #stop(next: State): void {
    const cookie = this.#state.kind === 'running' ? this.#state.awaited : undefined;
    this.#state = next;
    cookie?.answer(false);
  }
}
