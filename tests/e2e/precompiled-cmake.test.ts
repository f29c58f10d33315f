/** CMake's target_precompile_headers: the header is compiled here, and what uses it goes out. */
import { writeFileSync } from 'node:fs';
import t from 'tap';
import { BuildHost } from '../fixtures/build-host.js';
import { without } from '../fixtures/tools.js';

const LISTS = `cmake_minimum_required(VERSION 3.16)
set(CMAKE_CXX_COMPILER_WORKS 1)
project(small CXX)
add_library(parts STATIC a.cc b.cc c.cc)
target_precompile_headers(parts PRIVATE <cstdlib> own.h)
`;

await t.test('with gcc', { skip: without('cmake', 'g++') }, async (t) => {
  const host = new BuildHost(t);
  await host.startServers(['127.0.0.1']);
  host.env['TSCC_MODE'] = 'pump';
  const write = (name: string, content: string) =>
    writeFileSync(`${host.directory}/${name}`, content);
  write('CMakeLists.txt', LISTS);
  write('own.h', 'inline int own(int a) { return std::abs(a) + 1; }\n');
  for (const name of ['a', 'b', 'c'])
    write(`${name}.cc`, `int ${name}() { return own(__LINE__); }\n`);
  write('launch', '#!/bin/sh\nexec $LAUNCH "$@"\n');
  const configure =
    'chmod +x launch && cmake -S . -B build -DCMAKE_BUILD_TYPE=RelWithDebInfo ' +
    '-DCMAKE_CXX_COMPILER_LAUNCHER="$PWD/launch" >log';
  t.match(await host.shell(configure), { status: 0, stderr: '' });
  const build = (launch: string) =>
    host.shell(
      'cmake --build build --clean-first -j 2 >log && ' +
        "cksum $(find build -name '[abc].cc.o*' | sort) && ls build/CMakeFiles/parts.dir/*.gch",
      { env: { LAUNCH: launch, TSCC_SESSION: 'cmake' } },
    );
  const local = await build('');
  t.match(local, { status: 0, stdout: /a\.cc\.o/, stderr: '' });
  t.strictSame(await build('tscc'), local);
  t.match(await host.status('cmake'), {
    outcomes: { pump: 3, plain: 0, local: 1 },
    declines: { pch: 1 },
    fallbacks: {},
  });
});
