import t from 'tap';
import { featuresOf, pumpOffer, type PumpOffer } from '../../src/protocol/pump-offer.js';

await t.test('what a server says of itself is what a client hears', async (t) => {
  const tiers: [PumpOffer, number][] = [
    ['any', 3],
    ['own', 2],
    ['none', 2],
    ['none', 0],
  ];
  for (const [offer, tier] of tiers) {
    t.equal(pumpOffer({ tier, features: featuresOf(offer) }), offer);
  }
  t.equal(pumpOffer({ tier: 2, features: ['something-new'] }), 'none');
});
