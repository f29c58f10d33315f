/** Where a server listens and whom it lets in. Pure. */
import { BlockList, isIP } from 'node:net';
import { failure, success, type Result } from '../core/errors.js';

export interface ListenAddress {
  /** Name or address; undefined for all interfaces. */
  readonly host: string | undefined;
  readonly port: number;
}

/** `HOST:PORT`, `[V6]:PORT`, `HOST`, `:PORT` (all interfaces); the error says what is wrong. */
export function parseListen(text: string, defaultPort: number): Result<ListenAddress, string> {
  const match = /^(?:\[(?<v6>[^\]]*)\]|(?<name>[^:[\]]*))(?::(?<port>\d+))?$/.exec(text);
  const { v6, name, port } = match?.groups ?? {};
  if (match === null || (v6 !== undefined && isIP(v6) !== 6)) {
    return failure(`'${text}' is not HOST:PORT (an IPv6 address goes in brackets)`);
  }
  const number = port === undefined ? defaultPort : Number(port);
  if (number > 65_535) return failure(`port ${port} in '${text}' is larger than 65535`);
  const host = v6 ?? name ?? '';
  return success({ host: host === '' || host === '*' ? undefined : host, port: number });
}

/** `HOST:PORT` as people write it. */
export function formatAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether only this machine can connect to that address. */
export function isLoopback(host: string | undefined): boolean {
  if (host === 'localhost' || host === '::1') return true;
  return host !== undefined && isIP(host) === 4 && host.startsWith('127.');
}

/** Networks in CIDR notation or single addresses; the error says which is none. */
export function parseAllowed(networks: readonly string[]): Result<BlockList, string> {
  const allowed = new BlockList();
  for (const network of networks) {
    const [address = '', prefix, ...rest] = network.split('/');
    const family = isIP(address);
    const bits = family === 4 ? 32 : 128;
    const length = prefix === undefined ? bits : /^\d{1,3}$/.test(prefix) ? Number(prefix) : NaN;
    if (family === 0 || rest.length > 0 || !(length <= bits)) {
      return failure(`'${network}' is not an address or network such as 10.0.0.0/8 or fd00::/8`);
    }
    allowed.addSubnet(address, length, family === 4 ? 'ipv4' : 'ipv6');
  }
  return success(allowed);
}

/** Whether an address is in one of the networks. */
export function isAllowed(allowed: BlockList, address: string): boolean {
  return allowed.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

/**
 * Who an address belongs to, as far as one can tell: itself, or with IPv6 its network of 64 bits, of
 * whose addresses any host has as many as it likes.
 */
export function originOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/, '');
  if (isIP(plain) !== 6) return plain;
  const [head = '', tail] = plain.replace(/%.*/, '').split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const last = tail === '' ? [] : tail.split(':');
    // An IPv4 address at the end takes two places.
    const taken = last.length + (tail.includes('.') ? 1 : 0);
    while (groups.length + taken < 8) groups.push('0');
    groups.push(...last);
  }
  return `${groups.slice(0, 4).join(':')}::/64`;
}
