/** What `closures.ts` compiles: the projects of project-list.ts, and sets heavy on C++ headers. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { fetchSources } from './fetch-sources.js';
import { PROJECTS, type Project } from './project-list.js';

export interface ClosureProject {
  readonly name: string;
  readonly title: string;
  /** Fetches its sources if need be. */
  readonly directory: () => string;
  /** For C and C++; gcc and g++ unless given. */
  readonly compilers?: readonly [string, string];
  /** A shell line that sees CC, CXX and JOBS and compiles everything. */
  readonly build: string;
}

const BENCHMARKS = fileURLToPath(new URL('../../benchmarks', import.meta.url));

const BOOST = [
  'boost/mpl/vector.hpp',
  'boost/function.hpp',
  'boost/bind/bind.hpp',
  'boost/variant.hpp',
  'boost/fusion/include/vector.hpp',
  'boost/spirit/include/qi.hpp',
  'boost/asio.hpp',
  'boost/multi_index_container.hpp',
  'boost/property_tree/json_parser.hpp',
  'boost/graph/adjacency_list.hpp',
];
const EIGEN = ['Dense', 'Sparse', 'Geometry', 'Eigenvalues', 'unsupported/Eigen/CXX11/Tensor'];

/** @param directory where sources are put */
export function CLOSURE_PROJECTS(directory: string): readonly ClosureProject[] {
  const units = (name: string, headers: readonly string[], flags: string) => {
    const place = `${directory}/units-${name}`;
    mkdirSync(place, { recursive: true });
    for (const [at, header] of headers.entries()) {
      writeFileSync(`${place}/unit${at}.cc`, `#include <${header}>\nint unit${at};\n`);
    }
    // Only noted: compiling them takes minutes.
    const lines = headers.map((_, at) => `$CXX ${flags} -c unit${at}.cc`);
    return { directory: () => place, build: `export RECORD_ONLY=1\n${lines.join('\n')}` };
  };
  const whole = (project: Project, suffix: string) => {
    const { name, title, flags = '', configure = 'true', build } = project;
    const copy = `../closure-${name}${suffix}`;
    return {
      name: `${name}${suffix}`,
      title,
      directory: () => fetchSources(project, directory),
      build:
        `export FLAGS='${flags}' HERE='${BENCHMARKS}'; ` +
        `rm -rf ${copy}; cp -a . ${copy}; cd ${copy}; ${configure}; ${build}`,
    };
  };
  const named = (names: readonly string[]) => PROJECTS.filter(({ name }) => names.includes(name));
  return [
    ...named(['lua', 'zlib', 'sqlite', 'linux']).map((project) => whole(project, '')),
    ...named(['lua', 'zlib', 'sqlite']).map((project) => ({
      ...whole(project, '-clang'),
      title: `${project.title}, Clang`,
      compilers: ['clang', 'clang++'] as const,
    })),
    {
      name: 'googletest',
      title: 'googletest',
      directory: () => '/usr/src/googletest/googletest',
      build:
        'export RECORD_ONLY=1; for f in src/gtest-all.cc src/gtest_main.cc; do $CXX -Iinclude -I. -c $f; done',
    },
    { name: 'boost', title: 'Boost', ...units('boost', BOOST, '') },
    {
      name: 'eigen',
      title: 'Eigen',
      ...units(
        'eigen',
        EIGEN.map((name) => (name.includes('/') ? name : `Eigen/${name}`)),
        '-I/usr/include/eigen3',
      ),
    },
  ];
}
