import t from 'tap';
import { withoutComments } from '../../src/include-server/comments.js';
import { DEVIATION, joinLines, readEachWay } from '../../src/include-server/source-reading.js';

await t.test('every combination of the doubts is read once', async (t) => {
  const read: number[] = [];
  readEachWay(0, (reading) => {
    read.push(reading);
    return reading === 0 ? 1 : reading === 1 ? 4 : 0;
  });
  t.strictSame(
    read.toSorted((a, b) => a - b),
    [0, 1, 4, 5],
  );
});

await t.test('a reading that raises no doubt is the only one', async (t) => {
  const read: number[] = [];
  readEachWay(DEVIATION.noRawStrings, (reading) => {
    read.push(reading);
    return DEVIATION.noRawStrings;
  });
  t.strictSame(read, [DEVIATION.noRawStrings]);
});

await t.test('logical lines', async (t) => {
  t.match(joinLines('a\\\nb\\ \t\r\nc\\d\r\n', 0), { text: 'abc\\d\n', doubts: 0 });
  t.strictSame([...joinLines('ab\\\nc\\\nd', 0).joints], [2, 3]);
  t.match(joinLines('a\rb', 0), { text: 'a\rb', doubts: DEVIATION.carriageReturns });
  t.match(joinLines('a\rb', DEVIATION.carriageReturns), { text: 'a\nb', doubts: 0 });
  t.match(joinLines('???=??/\n', 0), { text: '???=??/\n', doubts: DEVIATION.trigraphs });
  t.match(joinLines('???=??/\n', DEVIATION.trigraphs), { text: '?#', doubts: 0 });
  t.match(joinLines('what?? no', 0), { doubts: 0 });
});

await t.test('code without comments, and the doubts on the way', async (t) => {
  const code = (source: string, reading = 0): [string, number] => {
    const { text, doubts } = withoutComments(joinLines(source, reading), reading);
    return [text, doubts];
  };
  t.strictSame(code('a /* b\n */ c // d\ne'), ['\na   c  \ne', 0]);
  t.strictSame(code('"/*" \'//\' <a//b'), ['\n"/*" \'//\' <a ', 0]);
  t.strictSame(code('a //* b'), ['\na  ', DEVIATION.noLineComments]);
  t.strictSame(code('a //* b', DEVIATION.noLineComments), ['\na / ', 0]);
  t.strictSame(code("1'0 // '"), ["\n1'0  ", DEVIATION.noDigitSeparators]);
  t.strictSame(code('R"(\n")"'), ['\n"\\n\\""', DEVIATION.noRawStrings]);
  t.strictSame(code('xR"(" // )"'), ['\nxR"("  ', 0]);
  t.strictSame(code('#define R R"(\n)"'), [
    '\n#define R "\\n"',
    DEVIATION.noRawStrings | DEVIATION.shortRawStrings,
  ]);
});
