import * as fc from 'fast-check';
import t from 'tap';
import {
  bytesFrame,
  Fields,
  FieldWriter,
  FrameSplitter,
  MalformedFrame,
} from '../../src/protocol/field-codec.js';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

await t.test('fields as C programs see them', async (t) => {
  const frame = new FieldWriter()
    .add(1, 0x01020304)
    .add(2, 0x0102030405060708n)
    .add(3, 'a\xff')
    .add(4, Buffer.from('b'))
    .addAll(5, ['', 'c'])
    .finish(0x7f);
  const fields = [
    '01 04000000 04030201',
    '02 08000000 0807060504030201',
    '03 02000000 61ff',
    '04 01000000 62',
    '05 00000000',
    '05 01000000 63',
  ];
  const body = hex(fields.join(''));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(1 + body.length);
  t.same(frame, Buffer.concat([length, hex('7f'), body]));
});

await t.test('what is written is read', async (t) => {
  const body = new FieldWriter()
    .add(1, 4_294_967_295)
    .add(2, 18_446_744_073_709_551_615n)
    .add(3, 'a\xff')
    .addAll(5, ['x', '', 'y'])
    .add(3, 'later')
    .finish(9)
    .subarray(5);
  const fields = new Fields(body);
  t.equal(fields.number(1), 4_294_967_295);
  t.equal(fields.bigNumber(2), 18_446_744_073_709_551_615n);
  t.equal(fields.string(3), 'a\xff', 'the first of equal tags');
  t.same(fields.strings(3), ['a\xff', 'later']);
  t.same(fields.strings(5), ['x', '', 'y']);
  t.same(fields.strings(99), []);
});

await t.test('broken fields are malformed', async (t) => {
  t.throws(() => new Fields(hex('01 0400')), /cut short/);
  t.throws(() => new Fields(hex('01 02000000 61')), /field 1 runs past its frame/);
  t.throws(() => new Fields(hex('01 ffffffff 61')), MalformedFrame);
  const fields = new Fields(hex('01 01000000 61'));
  t.throws(() => fields.number(1), /not a u32/);
  t.throws(() => fields.bigNumber(1), /not a u64/);
  t.throws(() => fields.string(2), /field 2 is missing/);
});

await t.test('frames come out of any pieces', async (t) => {
  const bodies = fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 8 });
  const cuts = fc.array(fc.nat(40), { maxLength: 20 });
  fc.assert(
    fc.property(bodies, cuts, (sent, sizes) => {
      const stream = Buffer.concat(sent.map((body, i) => bytesFrame(i, body)));
      const splitter = new FrameSplitter(51);
      const seen: { readonly type: number; readonly body: Uint8Array }[] = [];
      let at = 0;
      for (const size of [...sizes, stream.length]) {
        seen.push(...splitter.push(stream.subarray(at, at + size)));
        at += size;
      }
      return (
        seen.length === sent.length &&
        seen.every(
          ({ type, body }, i) => type === i && Buffer.from(body).equals(sent[i] ?? hex('')),
        )
      );
    }),
  );
  t.pass();
});

await t.test('a bad length is refused before anything is kept', async (t) => {
  const splitter = () => new FrameSplitter(100);
  t.throws(() => [...splitter().push(hex('65000000'))], /101 bytes; 1 to 100 are allowed/);
  t.throws(() => [...splitter().push(hex('00000000'))], MalformedFrame);
  t.equal([...splitter().push(Buffer.concat([hex('64000000'), Buffer.alloc(100)]))].length, 1);
});
