/** How signals end the server. */
import type { Server } from '../server/server.js';

/** The first signal drains, the second ends at once. Resolves to the exit status. */
export function endBySignal(server: Server, say: (what: string) => void): Promise<number> {
  return new Promise((resolve) => {
    let signals = 0;
    const end = (signal: 'SIGTERM' | 'SIGINT', number: number) => {
      signals++;
      if (signals === 1) {
        say(`${signal}: no new jobs; running ones finish (a second signal kills them)`);
        void server.drain().then(() => resolve(0));
      } else if (signals === 2) {
        void server.close().then(() => resolve(128 + number));
      }
    };
    process.on('SIGTERM', () => end('SIGTERM', 15));
    process.on('SIGINT', () => end('SIGINT', 2));
  });
}
