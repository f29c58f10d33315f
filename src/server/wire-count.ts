/** Bytes that went over connections, those that have ended included. */
import type { Socket } from 'node:net';

export class WireCount {
  readonly #open = new Set<Socket>();
  #received = 0;
  #sent = 0;

  /** Counts a TCP connection from here to its end. */
  add(socket: Socket): void {
    this.#open.add(socket);
    socket.once('close', () => {
      this.#open.delete(socket);
      this.#received += socket.bytesRead;
      this.#sent += socket.bytesWritten;
    });
  }

  get received(): number {
    let sum = this.#received;
    for (const { bytesRead } of this.#open) sum += bytesRead;
    return sum;
  }

  get sent(): number {
    let sum = this.#sent;
    for (const { bytesWritten } of this.#open) sum += bytesWritten;
    return sum;
  }
}
