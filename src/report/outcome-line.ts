/** One line for people about how a command ended, for TSCC_VERBOSE and TSCC_LOG. Pure. */
import { explainDecline, FALLBACK_REASONS, OTHER_KINDS } from '../core/reasons.js';
import type { Event } from './events.js';

/** How a command ends that does not end on another host. */
export type EndEvent = Extract<
  Event,
  { readonly event: 'local' | 'other' | 'failed' | 'cancelled' }
>;

/** Without `tscc:` before and a newline behind it. */
export function describeEnd(end: EndEvent): string {
  const detail = 'detail' in end && end.detail !== undefined ? ` (${end.detail})` : '';
  switch (end.event) {
    case 'local':
      return 'decline' in end
        ? `${end.source}: local, ${end.decline}: ${explainDecline(end.decline)}${detail}`
        : `${end.source}: local, fallback ${end.fallback}: ${FALLBACK_REASONS[end.fallback]}${detail}`;
    case 'failed':
      return 'decline' in end
        ? `${end.source}: failed, ${end.decline}: ${explainDecline(end.decline)}${detail}`
        : `${end.source}: failed, ${end.fallback}: ${FALLBACK_REASONS[end.fallback]}${detail}`;
    case 'other':
      return `${end.argv.join(' ')}: other, ${end.kind}: ${OTHER_KINDS[end.kind]}`;
    case 'cancelled':
      return `${end.argv.join(' ')}: interrupted while ${end.phase}: ${end.why}`;
  }
}
