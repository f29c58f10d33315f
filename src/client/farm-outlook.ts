/** Which hosts could take a compile, and why not where none can. */
import { pumpOffer } from '../protocol/pump-offer.js';
import type { FarmHost } from './farm-host.js';
import type { FarmMode, NoPlace, PlaceRequest } from './farm.js';
import type { RemoteHost } from './host-list.js';
import type { ServerLink } from './server-link.js';
import type { Settings } from './settings.js';

export type Outlook =
  | { readonly kind: 'open'; readonly hosts: readonly FarmHost[] }
  | { readonly kind: 'unsettled' }
  | NoPlace;

export function outlookOf(
  request: PlaceRequest,
  hostOf: (host: RemoteHost, settings: Settings) => FarmHost,
): Outlook {
  const open: FarmHost[] = [];
  const down: string[] = [];
  const lacking: string[] = [];
  const unsealed: string[] = [];
  const misplaced: string[] = [];
  const plain: string[] = [];
  let isUnsettled = false;
  for (const host of request.hosts.remote) {
    if (request.exclude.has(host.name)) continue;
    const known = hostOf(host, request.settings);
    const { link } = known;
    link.want();
    const isUp = link.state === 'up';
    if (request.mode === 'pump' && host.mode === 'plain') {
      plain.push(host.name);
      continue;
    }
    const has = isUp ? whatSuits(link, host, request) : 'unknown';
    if (link.state === 'down') down.push(`${host.name}: ${link.downReason}`);
    else if (!isUp || has === 'unknown') isUnsettled = true;
    else if (has === 'unsealed') unsealed.push(host.name);
    else if (has === 'misplaced') misplaced.push(host.name);
    else if (has === 'no') lacking.push(host.name);
    else if (link.slots === 0) down.push(`${host.name}: it is ending`);
    else if (link.breaker === 'open' || known.isBeingTried) {
      down.push(`${host.name}: not used for a while: ${link.downReason}`);
    } else open.push(known);
  }
  if (open.length > 0) return { kind: 'open', hosts: open };
  if (isUnsettled) return { kind: 'unsettled' };
  if (misplaced.length > 0) {
    return { kind: 'none', reason: 'other-paths', detail: `on ${misplaced.join(', ')}` };
  }
  if (unsealed.length > 0) {
    const reason = request.mode === 'pump' ? 'no-sandbox' : 'tier-too-low';
    return { kind: 'none', reason, detail: `not on ${unsealed.join(', ')}` };
  }
  if (plain.length > 0) {
    return {
      kind: 'none',
      reason: 'host-plain',
      detail: `so says the list: ${plain.join(', ')}`,
    };
  }
  return lacking.length > 0
    ? { kind: 'none', reason: 'no-toolchain', detail: `not on ${lacking.join(', ')}` }
    : { kind: 'none', reason: 'no-server', detail: down.join('; ') || 'all were tried' };
}

/** A pump job brings its compiler along, where the server can seal off what is not its own. */
function whatSuits(
  link: ServerLink,
  host: RemoteHost,
  { mode, toolchain, settings }: PlaceRequest,
): 'yes' | 'no' | 'unknown' | 'unsealed' | 'misplaced' {
  const wanted = Math.max(settings.minTier, host.minTier ?? 0);
  const offer = mode === 'pump' && link.welcome !== undefined ? pumpOffer(link.welcome) : 'own';
  if (tierOf(link, mode) < wanted || offer === 'none') return 'unsealed';
  if (offer === 'any') return 'yes';
  if (mode === 'pump' && link.isMisplaced(toolchain)) return 'misplaced';
  return link.hasToolchain(toolchain);
}

export function tierOf({ welcome }: ServerLink, mode: FarmMode): number {
  return (mode === 'pump' ? welcome?.tier : welcome?.plainTier) ?? 0;
}
