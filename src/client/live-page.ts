/**
 * The live page's HTTP server: on loopback only, on a port of the system's choice, started when
 * somebody asks for it and ended when nobody has looked for a while.
 *
 *   GET /TOKEN/        the page, which loads nothing else
 *   GET /TOKEN/events  what happens, as server-sent events
 *   GET /TOKEN/report  the newest build's report so far, which the page shows in a frame
 *
 * Whoever is on this host can connect, and so can any page in the user's browser. The token, which
 * only the user's own daemon tells, keeps out the former; that the Host is ours keeps out a name that
 * was made to lead here, that the Origin is ours other pages.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describeError } from '../core/errors.js';
import { LIVE } from '../core/live-limits.js';
import type { Clock, Timer } from '../platform/clock.js';
import type { FeedMessage, FeedReader, LiveFeed } from './live-feed.js';

/** The parts of the page, to be one document. */
export interface PageSource {
  readonly html: string;
  readonly style: string;
  readonly script: string;
}

export interface LivePageContext {
  readonly clock: Clock;
  readonly feed: LiveFeed;
  readonly source: PageSource;
  /** A whole page with a policy of its own. Rejects with an Error that says why there is none. */
  readonly report: () => Promise<string>;
  readonly log: (message: string) => void;
  /** Nobody has looked for a while, or `close` was called. */
  readonly onEnd: () => void;
}

export class LivePage {
  readonly #context: LivePageContext;
  readonly #token = randomBytes(16).toString('hex');
  readonly #server: Server;
  readonly #page: string;
  readonly #policy: string;
  #idle: Timer | undefined;
  #port = 0;
  #hasEnded = false;

  constructor(context: LivePageContext) {
    this.#context = context;
    const { html, style, script } = context.source;
    this.#page = html
      .replace('<!-- style -->', () => `<style>${style}</style>`)
      .replace('<!-- script -->', () => `<script>${script}</script>`);
    this.#policy = [
      "default-src 'none'",
      `style-src '${hashOf(style)}'`,
      `script-src '${hashOf(script)}'`,
      // Its own icon, an empty one, so that no browser asks for another.
      'img-src data:',
      "connect-src 'self'",
      "frame-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join('; ');
    this.#server = createServer(
      {
        maxHeaderSize: LIVE.headerBytes,
        headersTimeout: LIVE.request,
        requestTimeout: LIVE.request,
        keepAliveTimeout: LIVE.request,
      },
      (request, response) => this.#answer(request, response),
    );
    this.#server.maxConnections = LIVE.connections;
  }

  /** Resolves with the page's address once it is served. Rejects with the system's error. */
  listen(): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(0, '127.0.0.1', () => {
        this.#server.off('error', reject);
        this.#server.on('error', (error) => this.#context.log(`live page: ${error.message}`));
        this.#port = (this.#server.address() as AddressInfo).port;
        this.restartIdleTimer();
        resolve(this.url);
      });
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/${this.#token}/`;
  }

  /** Somebody asked for the page, or looked at it. */
  restartIdleTimer(): void {
    this.#idle?.cancel();
    if (this.#hasEnded) return;
    this.#idle = this.#context.clock.after(LIVE.pageIdle, () => {
      if (this.#context.feed.readers > 0) this.restartIdleTimer();
      else this.close();
    });
  }

  close(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#idle?.cancel();
    this.#context.feed.close();
    this.#server.close();
    this.#server.closeAllConnections();
    this.#context.onEnd();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    for (const [name, value] of Object.entries({
      'Cache-Control': 'no-store',
      'Content-Security-Policy': this.#policy,
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Resource-Policy': 'same-origin',
      'Referrer-Policy': 'no-referrer',
      'X-Content-Type-Options': 'nosniff',
      'X-Frame-Options': 'DENY',
    })) {
      response.setHeader(name, value);
    }
    if (!this.#isFromHere(request)) return refuse(response, 403);
    const path = this.#pathOf(request.url ?? '');
    if (path !== '' && path !== 'events' && path !== 'report') return refuse(response, 404);
    if (request.method !== 'GET') return refuse(response, 405);
    this.restartIdleTimer();
    if (path === 'events') return this.#stream(response);
    if (path === 'report') return void this.#sendReport(response);
    response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' });
    response.end(this.#page);
  }

  /** The browser's own word for where a request comes from; who is no browser needs the token. */
  #isFromHere({ headers }: IncomingMessage): boolean {
    const hosts = [`127.0.0.1:${this.#port}`, `localhost:${this.#port}`];
    const { host, origin } = headers;
    if (host === undefined || !hosts.includes(host)) return false;
    const site = headers['sec-fetch-site'];
    if (site !== undefined && site !== 'same-origin' && site !== 'none') return false;
    return origin === undefined || origin === `http://${host}`;
  }

  /** What follows the token; undefined without the right one. */
  #pathOf(url: string): string | undefined {
    const [, token = '', path, ...more] = url.split('/');
    const isRight = timingSafeEqual(digestOf(token), digestOf(this.#token));
    return isRight && more.length === 0 ? path : undefined;
  }

  /** What it may load and run stands in the page itself; here only whose frame it may be in. */
  async #sendReport(response: ServerResponse): Promise<void> {
    response.setHeader('Content-Security-Policy', "frame-ancestors 'self'");
    response.setHeader('X-Frame-Options', 'SAMEORIGIN');
    try {
      const page = await this.#context.report();
      response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' });
      response.end(page);
    } catch (error) {
      response.writeHead(503, { 'Content-Type': 'text/plain; charset=utf-8' });
      response.end(`no report: ${describeError(error)}\n`);
    }
  }

  #stream(response: ServerResponse): void {
    const { feed } = this.#context;
    if (feed.readers >= LIVE.readers) return refuse(response, 503);
    response.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8' });
    const reader: FeedReader = {
      isBusy: () => response.writableLength > 0,
      send: (message) => void response.write(eventOf(message)),
      // Not `end`, which would wait for a reader that takes nothing.
      end: () => response.destroy(),
    };
    response.on('close', () => {
      feed.leave(reader);
      this.restartIdleTimer();
    });
    feed.join(reader);
  }
}

/** JSON has no line break of its own, which would end an event's line. */
function eventOf(message: FeedMessage): string {
  return `data: ${JSON.stringify(message)}\n\n`;
}

function refuse(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' });
  response.end(`${status}: ask  tscc status --web  for the address of this page\n`);
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

/** Of one length, as a comparison in constant time needs. */
function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
