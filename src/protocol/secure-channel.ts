/**
 * TLS 1.3 with an external pre-shared key between client and compile server, without certificates:
 * whoever has the key file may connect, and nobody else can read or change a byte. Options for
 * Node's tls module, and its errors in plain words, since OpenSSL's mislead.
 */
import type { ConnectionOptions, TlsOptions } from 'node:tls';
import { describeError, errnoCode } from '../core/errors.js';
import { WIRE } from '../core/limits.js';
import type { Key } from './key-file.js';

/** External keys are bound to SHA-256 by default, so a SHA-384 suite would refuse them. */
const COMMON = {
  minVersion: 'TLSv1.3',
  ciphers: 'TLS_AES_128_GCM_SHA256:PSK',
} as const;

/**
 * For tls.createServer: any of the keys opens a connection. They are gone through at each handshake,
 * so that they may change meanwhile.
 */
export function serverTlsOptions(keys: Iterable<Key>): TlsOptions {
  return {
    ...COMMON,
    handshakeTimeout: WIRE.handshake,
    pskCallback: (_socket, id) => [...keys].find((key) => key.id === id)?.secret ?? null,
  };
}

/** For tls.connect, which also needs host and port or a socket. */
export function clientTlsOptions(key: Key): ConnectionOptions {
  return {
    ...COMMON,
    pskCallback: () => ({ psk: key.secret, identity: key.id }),
    // There is no certificate; who has the key is the right peer.
    checkServerIdentity: () => undefined,
  };
}

/** Why a client's handshake with this server failed, for the server's log. */
export function explainServerTlsError(error: unknown): string {
  switch (errnoCode(error)) {
    case 'ERR_SSL_BINDER_DOES_NOT_VERIFY':
      return 'the client has another key under the same id: copy the key file anew';
    case 'ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM':
    case 'ERR_SSL_NO_SHARED_CIPHER':
      return 'the client has a key of an unknown id, or none: copy the key file to it';
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
    case 'ERR_SSL_HTTP_REQUEST':
      return 'the client does not use a key: set TSCC_KEY_FILE there';
    case 'ERR_SSL_UNSUPPORTED_PROTOCOL':
      return 'the client speaks an older TLS than 1.3';
    case 'ERR_TLS_HANDSHAKE_TIMEOUT':
      return `no TLS handshake within ${WIRE.handshake / 1000} s`;
    case 'ECONNRESET':
    case 'EPIPE':
      return 'the client left during the TLS handshake';
    default:
      return `TLS handshake failed: ${describeError(error)}`;
  }
}

/**
 * Why this client's handshake with a server failed, for an error between TCP's connect and
 * secureConnect; undefined for one that has nothing to do with TLS.
 */
export function explainClientTlsError(error: unknown): string | undefined {
  const code = errnoCode(error);
  switch (code) {
    case 'ERR_SSL_SSLV3_ALERT_ILLEGAL_PARAMETER':
    case 'ERR_SSL_TLSV1_ALERT_DECRYPT_ERROR':
      return 'the server has another key under the same id: copy the key file anew';
    case 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE':
      return 'the server does not know this key: copy the key file to it';
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
      return SERVER_WITHOUT_KEY;
    case 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION':
      return 'the server does not speak TLS 1.3';
    case 'ECONNRESET':
    case 'EPIPE':
      return SERVER_WITHOUT_KEY;
    default:
      return code?.startsWith('ERR_SSL_') === true
        ? `TLS handshake failed: ${describeError(error)}`
        : undefined;
  }
}

/** A server without a key closes as soon as it sees TLS, as one does that refuses the address. */
const SERVER_WITHOUT_KEY =
  'server does not use a key: give tsccd --key-file, or unset TSCC_KEY_FILE ' +
  '(or its --allow does not name this host)';

/** What a client without a key may tell when a connection is closed before WELCOME. */
export const CLOSED_BEFORE_WELCOME =
  'server closed the connection at once: it may use a key (set TSCC_KEY_FILE), ' +
  'or its --allow does not name this host';

/** Whether the first bytes from a peer are a TLS record (hello or alert) instead of a frame. */
export function looksLikeTls(bytes: Uint8Array): boolean {
  const [type, major, minor] = bytes;
  if (type !== 0x15 && type !== 0x16) return false;
  return major === 0x03 && minor !== undefined && minor >= 1 && minor <= 4;
}
