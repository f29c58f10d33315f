/**
 * HTTP for monitoring, for this host only: GET /metrics, and GET /healthz, which is 200 while jobs
 * are taken and else 503 with the reason. Loaded only where it is asked for.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describeError } from '../core/errors.js';
import { OPERATIONS } from '../core/limits.js';

export interface StatusAnswers {
  readonly contentType: string;
  /** What /metrics answers. */
  metrics(): Promise<string>;
  /** Why no job is taken, in a line; undefined if all is well. */
  ailment(): string | undefined;
}

const HOST = '127.0.0.1';
const PLAIN_TEXT = 'text/plain; charset=utf-8';

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

export class StatusEndpoint {
  readonly #server: Server;
  readonly #answers: StatusAnswers;

  private constructor(answers: StatusAnswers) {
    this.#answers = answers;
    this.#server = createServer((request, response) => void this.#serve(request, response));
    this.#server.requestTimeout = OPERATIONS.requestTime;
    this.#server.headersTimeout = OPERATIONS.requestTime;
    this.#server.maxConnections = OPERATIONS.connections;
  }

  /** Listens on 127.0.0.1, port 0 for any; rejects with the system's error. */
  static open(port: number, answers: StatusAnswers): Promise<StatusEndpoint> {
    const endpoint = new StatusEndpoint(answers);
    return new Promise((resolve, reject) => {
      endpoint.#server.once('error', reject);
      endpoint.#server.listen({ host: HOST, port }, () => resolve(endpoint));
    });
  }

  /** Without a path. */
  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://${HOST}:${port}`;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, type, body } = await this.#answer(request).catch((error: unknown) =>
      plain(500, describeError(error)),
    );
    response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
    response.end(request.method === 'HEAD' ? undefined : body);
  }

  async #answer({ method, url }: IncomingMessage): Promise<Answer> {
    if (method !== 'GET' && method !== 'HEAD') return plain(405, 'only GET and HEAD');
    const [path] = (url ?? '').split('?');
    switch (path) {
      case '/metrics':
        return {
          status: 200,
          type: this.#answers.contentType,
          body: await this.#answers.metrics(),
        };
      case '/healthz': {
        const ailment = this.#answers.ailment();
        return ailment === undefined ? plain(200, 'ok') : plain(503, ailment);
      }
      default:
        return plain(404, 'there are /metrics and /healthz');
    }
  }
}

function plain(status: number, line: string): Answer {
  return { status, type: PLAIN_TEXT, body: `${line}\n` };
}
