/** Pump mode's parts of one server, put together: the store, roots, and a tree for each client. */
import type { Digest } from '../core/digest.js';
import { STORE } from '../core/limits.js';
import { BlobStore } from './blob-store.js';
import { ClientPump, type PumpPeer, type PumpService } from './client-pump.js';
import { ClientTree } from './client-tree.js';
import type { HeaderSurroundings } from './precompiled-header.js';
import { ServerDirectory } from './server-directory.js';
import { SharedRoom } from './shared-room.js';

export interface StoreFigures {
  /** On disk, as far as this server knows. */
  readonly bytes: number;
  /** Contents that made room for others so far. */
  readonly evicted: number;
}

export interface OpenPump extends PumpService {
  readonly store: StoreFigures;
  /** Removes what is only this server's; contents stay in the store. */
  close(): Promise<void>;
}

/**
 * @param store the server's store
 * @param bytes space for contents on its disk
 * @param around what its jobs need
 * @param toldBytes memory for what all clients tell
 *
 * Rejects with the system's error when the store cannot be used.
 */
export async function openPump(
  store: string,
  bytes: number,
  around: HeaderSurroundings,
  log: (what: string) => void,
  toldBytes = STORE.toldBytes,
): Promise<OpenPump> {
  const blobs = await BlobStore.open(store, bytes, log);
  const trees = await ServerDirectory.open(`${store}/trees`, log);
  const room = new SharedRoom(toldBytes);
  let last = 0;
  return {
    store: blobs,
    begin(peer: PumpPeer) {
      const say = (what: string) => peer.log(what);
      const ask = (digests: readonly Digest[]) => peer.ask(digests);
      const share = room.open(peer.origin, (why) => {
        say(`closed: ${why}`);
        peer.close(why);
      });
      const tree = new ClientTree(`${trees.path}/${++last}`, blobs, ask, say, around.clock);
      return new ClientPump(tree, blobs, around, share, say);
    },
    async close() {
      await blobs.close();
      await trees.close();
    },
  };
}
