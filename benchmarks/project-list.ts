/** Real projects whose builds `projects.ts` compares. Shell lines see CC, CXX and JOBS. */

export interface Project {
  readonly name: string;
  readonly title: string;
  readonly source:
    | { readonly kind: 'debian'; readonly package: string }
    | { readonly kind: 'tarball'; readonly path: string; readonly package: string };
  readonly configure?: string;
  readonly build: string;
  /** Must end with status 0 if what was built works. */
  readonly check: string;
}

export const PROJECTS: readonly Project[] = [
  {
    name: 'lua',
    title: 'Lua 5.4',
    source: { kind: 'debian', package: 'lua5.4' },
    build: 'make -j"$JOBS" linux CC="$CC -std=gnu99"',
    check:
      `test "$(src/lua -e 'local t = {} for w in ("to be or not"):gmatch("%a+") do ` +
      `t[#t + 1] = w:reverse() end print(table.concat(t, " "))')" = "ot eb ro ton"`,
  },
  {
    name: 'zlib',
    title: 'zlib',
    source: { kind: 'debian', package: 'zlib' },
    configure: './configure',
    build: 'make -j"$JOBS"',
    check: 'make test',
  },
  {
    name: 'sqlite',
    title: 'SQLite',
    source: { kind: 'debian', package: 'sqlite3' },
    configure: 'CFLAGS="-O1" ./configure --disable-amalgamation --disable-tcl --disable-readline',
    build: 'make -j"$JOBS" libsqlite3.la shell.c',
    check:
      '$CC -I. shell.c .libs/libsqlite3.a -lpthread -ldl -lm -o shell && ' +
      `test "$(./shell :memory: 'create table t(n); with recursive c(n) as (select 1 union all ` +
      `select n + 1 from c where n < 1000) insert into t select n from c; ` +
      `select sum(n), count(*) from t where n % 7 = 0;')" = '71071|142'`,
  },
  {
    name: 'linux',
    title: 'Linux 6.1 (tinyconfig)',
    source: {
      kind: 'tarball',
      path: '/usr/src/linux-source-6.1.tar.xz',
      package: 'linux-source-6.1 flex bison bc libelf-dev',
    },
    configure: 'make -s tinyconfig CC="$CC"',
    build:
      'make -j"$JOBS" CC="$CC" HOSTCC="$CC" KBUILD_BUILD_TIMESTAMP=2024-01-01 ' +
      'KBUILD_BUILD_USER=user KBUILD_BUILD_HOST=host',
    check: 'test -s arch/x86/boot/bzImage',
  },
];
