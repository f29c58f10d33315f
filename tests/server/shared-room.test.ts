import t from 'tap';
import { SharedRoom } from '../../src/server/shared-room.js';

function setUp(most: number) {
  const ended: string[] = [];
  const room = new SharedRoom(most);
  const open = (origin: string, name: string) => room.open(origin, () => ended.push(name));
  return { ended, open };
}

await t.test('as long as there is room nobody is asked to go', async (t) => {
  const { ended, open } = setUp(100);
  const [a, b] = [open('a', 'a'), open('b', 'b')];
  a.holds(60);
  b.holds(40);
  a.holds(10);
  b.holds(90);
  t.same(ended, []);
});

await t.test('the origin that takes most gives up its largest', async (t) => {
  const { ended, open } = setUp(100);
  const honest = open('h', 'h');
  honest.holds(30);
  const greedy = ['g1', 'g2', 'g3', 'g4'].map((name) => open('g', name));
  for (const [at, one] of greedy.entries()) one.holds(18 + at);
  t.same(ended, ['g4'], 'not the largest of all, who is honest');
  greedy[3]?.holds(1000);
  t.same(ended, ['g4'], 'who has gone counts no more');
  open('new', 'new').holds(2);
  t.same(ended, ['g4']);
  honest.holds(70);
  t.same(ended, ['g4', 'h'], 'now it takes the most itself');
});

await t.test('one that takes all goes itself', async (t) => {
  const { ended, open } = setUp(100);
  open('b', 'b').holds(10);
  open('a', 'a').holds(101);
  t.same(ended, ['a']);
});

await t.test('what was closed is free', async (t) => {
  const { ended, open } = setUp(100);
  for (let i = 0; i < 10; i++) {
    const share = open('a', `a${i}`);
    share.holds(100);
    share.close();
    share.close();
  }
  t.same(ended, []);
});
