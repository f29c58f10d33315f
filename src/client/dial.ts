/**
 * Opens a connection to a compile server: TCP on loopback, TLS with the cluster's key elsewhere,
 * and on loopback too when the user names a key file. Rejects with one line for people.
 */
import { connect as connectTcp, isIPv4, isIPv6 } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { toText } from '../core/byte-string.js';
import { describeError, errnoCode } from '../core/errors.js';
import type { Files } from '../platform/files.js';
import { readKeyFile } from '../protocol/key-file.js';
import { clientTlsOptions, explainClientTlsError } from '../protocol/secure-channel.js';
import type { RemoteHost } from './host-list.js';
import type { Settings } from './settings.js';

export async function dialHost(
  host: RemoteHost,
  settings: Settings,
  stateDirectory: string,
  files: Files,
): Promise<Duplex> {
  const address = { host: host.host, port: host.port };
  const keyFile = findKeyFile(host, settings, stateDirectory, files);
  if (keyFile === undefined) {
    return open(host, settings.connectTimeout, () => connectTcp(address), 'connect');
  }
  const key = await readKeyFile(keyFile, process.getuid?.() ?? 0);
  return open(
    host,
    settings.connectTimeout,
    () => connectTls({ ...address, ...clientTlsOptions(key) }),
    'secureConnect',
  );
}

/** Undefined: no key is needed. Throws when one is needed and there is none. */
function findKeyFile(
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
  const found = places.find((path) => files.stat(path)?.kind === 'file');
  if (found !== undefined) return found;
  throw new Error(
    "off this machine a key is needed and none was found: make one with 'tscc keygen FILE', " +
      'copy it to the servers, and set TSCC_KEY_FILE',
  );
}

function isLoopback(name: string): boolean {
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
    const fail = (message: string) => {
      socket.destroy();
      reject(new Error(message));
    };
    const onError = (error: Error) => fail(explain(error, host));
    const timer = setTimeout(() => fail(`no connection in ${timeout} ms: is it up?`), timeout);
    socket.once('error', onError);
    socket.once(ready, () => {
      clearTimeout(timer);
      socket.removeListener('error', onError);
      resolve(socket);
    });
    socket.once('close', () => clearTimeout(timer));
  });
}

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
