import t from 'tap';
import { HostSpeed } from '../../src/client/host-speed.js';

const after = (count: number, took: number, expected: number, isKnown: boolean) => {
  const speed = new HostSpeed();
  for (let n = 0; n < count; n++) speed.observe(took, expected, isKnown);
  return speed.factor;
};

await t.test('average until something else is known', async (t) => {
  t.equal(new HostSpeed().factor, 1);
  t.equal(after(100, 1_000, 1_000, true), 1);
  t.equal(after(1, 60_000, 100, true), 1, 'one compile says little');
});

await t.test('learned from units whose time is known', async (t) => {
  t.equal(after(40, 2_000, 1_000, true), 0.5);
  t.equal(after(40, 500, 1_000, true), 2);
  t.equal(after(40, 1_100, 1_000, true), 1, 'a tenth is chance');
});

await t.test('slower where compiles are only compared with the average', async (t) => {
  t.equal(after(10, 2_000, 1_000, false), 1);
  t.equal(after(300, 2_000, 1_000, false), 0.5);
});

await t.test('bounded, and by the clock’s grain not moved', async (t) => {
  t.equal(after(1_000, 1_000_000, 100, true), 0.25);
  t.equal(after(1_000, 100, 1_000_000, true), 4);
  t.equal(after(1_000, 3, 1, true), 1);
});

await t.test('a host that was slow for a while is forgiven', async (t) => {
  const speed = new HostSpeed();
  for (let n = 0; n < 50; n++) speed.observe(4_000, 1_000, true);
  t.equal(speed.factor, 0.25);
  for (let n = 0; n < 50; n++) speed.observe(1_000, 1_000, true);
  t.equal(speed.factor, 1);
});
