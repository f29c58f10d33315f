/**
 * Opens a connection to a compile server: TCP on loopback, TLS with the cluster's key elsewhere,
 * and on loopback too when the user names a key file. Rejects with a DialFailure: one line for
 * people, and how far it came.
 */
import { connect as connectTcp, isIPv4, isIPv6, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { toText } from '../core/byte-string.js';
import { describeError, errnoCode } from '../core/errors.js';
import type { Files } from '../platform/files.js';
import { readKeyFile } from '../protocol/key-file.js';
import { clientTlsOptions, explainClientTlsError } from '../protocol/secure-channel.js';
import type { RemoteHost } from './host-list.js';
import type { Settings } from './settings.js';

/** Finding the host's address, connecting to its port, proving the key. */
export type DialStep = 'name' | 'port' | 'key';

export class DialFailure extends Error {
  override readonly name = 'DialFailure';
  /** What did not succeed. */
  readonly step: DialStep;
  /** Of the host, where it came so far. */
  readonly address: string | undefined;

  constructor(message: string, step: DialStep, address?: string) {
    super(message);
    this.step = step;
    this.address = address;
  }
}

export async function dialHost(
  host: RemoteHost,
  settings: Settings,
  stateDirectory: string,
  files: Files,
): Promise<Socket> {
  const address = addressOf(host);
  const keyFile = keyFileFor(host, settings, stateDirectory, files);
  if (keyFile === undefined) {
    if (!isLoopback(host.host)) throw new DialFailure(NO_KEY, 'key');
    return open(host, settings.connectTimeout, () => connectTcp(address), 'connect');
  }
  const key = await readKeyFile(keyFile, process.getuid?.() ?? 0).catch((error: unknown) => {
    throw new DialFailure(describeError(error), 'key');
  });
  return open(
    host,
    settings.connectTimeout,
    () => connectTls({ ...address, ...clientTlsOptions(key) }),
    'secureConnect',
  );
}

/**
 * Whether a host can be reached at all, without a word to it: its address. Rejects as `dialHost`.
 */
export async function reachHost(host: RemoteHost, settings: Settings): Promise<string | undefined> {
  const dial = () => connectTcp(addressOf(host));
  const socket = await open(host, settings.connectTimeout, dial, 'connect');
  const { remoteAddress } = socket;
  socket.destroy();
  return remoteAddress;
}

const NO_KEY =
  "off this machine a key is needed and none was found: make one with 'tscc keygen FILE', " +
  'copy it to the servers, and set TSCC_KEY_FILE';

/** The file whose key a connection to this host is opened with. Undefined: none is used, or found. */
export function keyFileFor(
  host: RemoteHost,
  settings: Settings,
  stateDirectory: string,
  files: Files,
): string | undefined {
  if (settings.keyFile !== undefined) return toText(settings.keyFile);
  if (isLoopback(host.host)) return undefined;
  const { configHome } = settings;
  const places = [
    `${stateDirectory}/key`,
    ...(configHome === undefined ? [] : [`${toText(configHome)}/tscc/key`]),
    '/etc/tscc/key',
  ];
  return places.find((path) => files.stat(path)?.kind === 'file');
}

/** Whether a host is this machine, to which one connects without a key. */
export function isLoopback(name: string): boolean {
  if (isIPv4(name)) return name.startsWith('127.');
  return isIPv6(name) ? name === '::1' : name === 'localhost';
}

function open<S extends ReturnType<typeof connectTcp>>(
  host: RemoteHost,
  timeout: number,
  connect: () => S,
  ready: 'connect' | 'secureConnect',
): Promise<S> {
  return new Promise((resolve, reject) => {
    const socket = connect();
    // A job's small messages must not wait for each other's acknowledgements.
    socket.setNoDelay(true);
    let isConnected = false;
    socket.once('connect', () => (isConnected = true));
    const fail = (message: string, step: DialStep) => {
      const { remoteAddress } = socket;
      socket.destroy();
      reject(new DialFailure(message, step, remoteAddress));
    };
    const onError = (error: Error) => fail(explain(error, host), stepOf(error, isConnected));
    const timer = setTimeout(() => {
      if (isConnected)
        fail(`no TLS handshake in ${timeout} ms: is that a tsccd with a key?`, 'key');
      else fail(`no connection in ${timeout} ms: is it up?`, 'port');
    }, timeout);
    socket.once('error', onError);
    socket.once(ready, () => {
      clearTimeout(timer);
      socket.removeListener('error', onError);
      resolve(socket);
    });
    socket.once('close', () => clearTimeout(timer));
  });
}

const addressOf = ({ host, port }: RemoteHost) => ({ host, port });

function stepOf(error: Error, isConnected: boolean): DialStep {
  if (isConnected) return 'key';
  return NO_ADDRESS.has(errnoCode(error) ?? '') ? 'name' : 'port';
}

const NO_ADDRESS = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'EAI_NODATA']);

function explain(error: Error, host: RemoteHost): string {
  const tls = explainClientTlsError(error);
  if (tls !== undefined) return tls;
  switch (errnoCode(error)) {
    case 'ECONNREFUSED':
      return `connection refused: no tsccd listens on port ${host.port}`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'unknown host: correct the host list or the name service';
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'no route to that host';
    default:
      return describeError(error);
  }
}
