/**
 * Real projects whose builds `projects.ts` compares. Shell lines see CC, CXX, FLAGS and JOBS, and
 * HERE for the directory of these benchmarks.
 */

export interface Project {
  readonly name: string;
  readonly title: string;
  readonly source:
    | { readonly kind: 'debian'; readonly package: string }
    | { readonly kind: 'tarball'; readonly path: string; readonly package: string }
    /** The directory `deps` of a package that these benchmarks have installed. */
    | { readonly kind: 'npm'; readonly package: string };
  /** Of the compiler, as FLAGS in the lines below. */
  readonly flags?: string;
  readonly configure?: string;
  readonly build: string;
  /** Must end with status 0 if what was built works. */
  readonly check: string;
  /** Compiles that stay here in pump mode, by reason, and why that is right. */
  readonly local?: Readonly<Record<string, { readonly count: number; readonly why: string }>>;
}

const LINUX = {
  source: {
    kind: 'tarball',
    path: '/usr/src/linux-source-6.1.tar.xz',
    package: 'linux-source-6.1 flex bison bc libelf-dev',
  },
  build:
    'make -j"$JOBS" CC="$CC" HOSTCC="$CC" KBUILD_BUILD_TIMESTAMP=2024-01-01 ' +
    'KBUILD_BUILD_USER=user KBUILD_BUILD_HOST=host',
} as const;

/** Built with two sets of flags each. */
const SMALL: readonly Project[] = [
  {
    name: 'lua',
    title: 'Lua 5.4',
    source: { kind: 'debian', package: 'lua5.4' },
    build: 'make -j"$JOBS" linux CC="$CC -std=gnu99" MYCFLAGS="$FLAGS"',
    check:
      `test "$(src/lua -e 'local t = {} for w in ("to be or not"):gmatch("%a+") do ` +
      `t[#t + 1] = w:reverse() end print(table.concat(t, " "))')" = "ot eb ro ton"`,
  },
  {
    name: 'zlib',
    title: 'zlib',
    source: { kind: 'debian', package: 'zlib' },
    configure: 'CFLAGS="$FLAGS" ./configure',
    build: 'make -j"$JOBS"',
    check: 'make test',
    local: {
      'compile-error': { count: 1, why: 'its configure tries whether the compiler minds #error' },
    },
  },
  {
    name: 'sqlite',
    title: 'SQLite',
    source: { kind: 'debian', package: 'sqlite3' },
    configure:
      'CFLAGS="$FLAGS" ./configure --disable-amalgamation --disable-tcl --disable-readline',
    build: 'make -j"$JOBS" libsqlite3.la shell.c',
    check:
      '$CC -I. shell.c .libs/libsqlite3.a -lpthread -ldl -lm -o shell && ' +
      `test "$(./shell :memory: 'create table t(n); with recursive c(n) as (select 1 union all ` +
      `select n + 1 from c where n < 1000) insert into t select n from c; ` +
      `select sum(n), count(*) from t where n % 7 = 0;')" = '71071|142'`,
  },
  {
    name: 'googletest',
    title: 'googletest (CMake)',
    source: { kind: 'debian', package: 'googletest' },
    configure:
      'launcher="${CXX%g++}" && cmake -S . -B build -DCMAKE_BUILD_TYPE=None ' +
      '-DCMAKE_CXX_COMPILER=g++ -DCMAKE_CXX_FLAGS="$FLAGS" ' +
      '-DCMAKE_CXX_COMPILER_LAUNCHER="${launcher% }"',
    build: 'cmake --build build -j "$JOBS"',
    check: 'test -s build/lib/libgtest.a && test -s build/lib/libgmock.a',
  },
  {
    name: 'demo',
    title: 'LevelDB 1.20 and Snappy',
    source: { kind: 'npm', package: 'leveldown' },
    build: 'make -j"$JOBS" -f "$HERE/demo-project.mk" CC="$CC" CXX="$CXX" OPTIMIZE="$FLAGS"',
    check: 'TEST_TMPDIR="$PWD" ./c_test',
  },
];

/** Other build systems; with debug information, which names directories. */
const OTHERS: readonly Project[] = [
  {
    name: 'jansson',
    title: 'Jansson (CMake, Ninja)',
    source: { kind: 'debian', package: 'jansson' },
    configure:
      'launcher="${CC%gcc}" && cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=None ' +
      '-DCMAKE_C_COMPILER=gcc -DCMAKE_C_FLAGS="$FLAGS" -DJANSSON_BUILD_DOCS=OFF ' +
      '-DCMAKE_C_COMPILER_LAUNCHER="${launcher% }"',
    build: 'cmake --build build -j "$JOBS"',
    check: 'ctest --test-dir build -Q',
  },
  {
    name: 'redis',
    title: 'Redis 7.0 (make, a generated header)',
    source: { kind: 'debian', package: 'redis' },
    build:
      'SOURCE_DATE_EPOCH=1700000000 make -j"$JOBS" MALLOC=libc CC="$CC" CXX="$CXX" OPTIMIZATION=-O2',
    check: 'src/redis-server --version | grep -q "v=7"',
  },
];

export const PROJECTS: readonly Project[] = [
  ...SMALL.flatMap((project) => [
    { ...project, title: `${project.title}, -O2`, flags: '-O2' },
    {
      ...project,
      name: `${project.name}-g`,
      title: `${project.title}, -g -O2`,
      flags: '-g -O2',
    },
  ]),
  ...OTHERS.map((project) => ({ ...project, flags: '-g -O2' })),
  {
    name: 'linux',
    title: 'Linux 6.1 (tinyconfig)',
    ...LINUX,
    configure: 'make -s tinyconfig CC="$CC"',
    check: 'test -s arch/x86/boot/bzImage',
  },
  {
    name: 'linux-modules',
    title: 'Linux 6.1 (64 bits, six file systems as modules)',
    ...LINUX,
    configure:
      'make -s tinyconfig CC="$CC" && ' +
      'scripts/kconfig/merge_config.sh -m .config "$HERE/linux-modules.config" && ' +
      'make -s olddefconfig CC="$CC"',
    check: 'test -s arch/x86/boot/bzImage && test -s fs/btrfs/btrfs.ko && test -s fs/ext4/ext4.ko',
  },
];

/** Where a project's sources are in the directory of these benchmarks. */
export function sourcesOf({ source }: Pick<Project, 'source'>, directory: string): string {
  return `${directory}/sources/${source.package.split(' ')[0]}`;
}
