import t from 'tap';
import { describeHostListError, parseHostList } from '../../src/client/host-list.js';

function hosts(text: string) {
  const result = parseHostList(text);
  if (!result.ok) throw new Error(describeHostListError(result.error, 'test'));
  return result.value;
}

function errorOf(text: string): string {
  const result = parseHostList(text);
  return result.ok ? 'no error' : describeHostListError(result.error, 'HOSTS');
}

await t.test('a name, with and without its parts', async (t) => {
  t.match(hosts('one two:4000 three/8 four:5/6,plain,weight=1.5').remote, [
    { name: 'one', host: 'one', port: 3634, slots: undefined, mode: 'pump', weight: 1 },
    { name: 'two:4000', host: 'two', port: 4000 },
    { name: 'three', slots: 8 },
    { name: 'four:5', port: 5, slots: 6, mode: 'plain', weight: 1.5 },
  ]);
});

await t.test("distcc's other spellings", async (t) => {
  t.match(hosts('old/4:3632').remote, [{ host: 'old', port: 3632, slots: 4 }]);
  t.match(hosts('old=4').remote, [{ host: 'old', slots: 4 }]);
  t.match(hosts('old,lzo,cpp').remote, [{ host: 'old', mode: 'pump' }]);
});

await t.test('addresses', async (t) => {
  t.match(hosts('10.0.0.1/2 [::1]:99/3 [fe80::1%eth0]').remote, [
    { name: '10.0.0.1', host: '10.0.0.1', slots: 2 },
    { name: '[::1]:99', host: '::1', port: 99, slots: 3 },
    { name: '[fe80::1%eth0]', host: 'fe80::1%eth0' },
  ]);
});

await t.test('localhost and flags are no remote hosts', async (t) => {
  t.match(hosts('localhost/3 --localslots=5 --localslots_cpp=9 --randomize'), {
    remote: [],
    localhost: 3,
    localSlots: 5,
    preprocessSlots: 9,
    randomize: true,
  });
  t.match(hosts('localhost'), { localhost: 2 });
  t.match(hosts('localhost:3634').remote, [{ host: 'localhost', port: 3634 }]);
});

await t.test('comments and lines', async (t) => {
  t.match(hosts('# ours\n one # two\n\n\tthree\r\n').remote, [{ name: 'one' }, { name: 'three' }]);
  t.strictSame(hosts('  \n#all gone').remote, []);
});

await t.test('errors tell line and column', async (t) => {
  t.equal(errorOf('one two:x'), "HOSTS: line 1, column 8: port 'x' is not 1 to 65535");
  t.equal(errorOf('\n  a:70000'), "HOSTS: line 2, column 4: port '70000' is not 1 to 65535");
  t.equal(errorOf('a/0'), "HOSTS: line 1, column 2: '0' is not a number of slots");
  t.match(errorOf('a,fast'), /column 2: unknown option 'fast'; known are/);
  t.match(errorOf('one /5'), /column 5: '\/5' does not begin with a host name/);
  t.match(errorOf('one --wrong'), /column 5: '--wrong' is no option of a host list/);
  t.match(errorOf('--localslots=x'), /column 1/);
  t.match(errorOf('one%two'), /column 4: '%two' does not belong in a host/);
});

await t.test('what distcc has and tscc has not yet', async (t) => {
  t.equal(errorOf('+zeroconf'), 'HOSTS: line 1, column 1: +zeroconf is not supported yet');
  t.equal(errorOf('a me@there'), 'HOSTS: line 1, column 3: ssh (@host) is not supported yet');
  const places: [list: string, column: number, what: string][] = [
    ['a,auth=b', 3, "option 'auth'"],
    ['a/4,lzo,auth', 9, "option 'auth'"],
    ['one two,down', 9, "option 'down'"],
    ['two,down,lzo', 5, "option 'down'"],
    ['@there', 1, 'ssh (@host)'],
    ['red [::1]@x', 5, 'ssh (@host)'],
    ['me@there/4:/usr/bin/distccd,lzo', 1, 'ssh (@host)'],
    ['red +zeroconf', 5, '+zeroconf'],
  ];
  for (const [list, column, what] of places) {
    t.equal(errorOf(list), `HOSTS: line 1, column ${column}: ${what} is not supported yet`);
  }
});

await t.test('a host that must seal jobs off well', async (t) => {
  t.match(hosts('one,min-tier=3 two').remote, [{ minTier: 3 }, { minTier: undefined }]);
  t.notOk(parseHostList('one,min-tier=4').ok);
});
