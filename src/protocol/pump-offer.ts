/** For whom a server does pump jobs, told in WELCOME. */
import { PUMP } from '../core/limits.js';
import type { Welcome } from './plain-messages.js';

/** Compilers that pump jobs may come with: any, those that the server has itself, or none. */
export type PumpOffer = 'any' | 'own' | 'none';

/** A feature of WELCOME: pump jobs below tier 3, by compilers that the server has at the same paths. */
const OWN_COMPILERS = 'pump-own-compilers';

export const featuresOf = (offer: PumpOffer): readonly string[] =>
  offer === 'own' ? [OWN_COMPILERS] : [];

export function pumpOffer({ tier, features }: Pick<Welcome, 'tier' | 'features'>): PumpOffer {
  if (tier >= PUMP.tier) return 'any';
  return features.includes(OWN_COMPILERS) ? 'own' : 'none';
}
