/** Small sources that compilers have something to say about, one matter each. */

interface WarningSource {
  readonly name: string;
  readonly text: string;
}

const C: readonly (readonly [name: string, text: string])[] = [
  ['unused', 'static int f(void) { int x; return 1; }\nint g(int a) { L: return 0; }\n'],
  [
    'fallthrough',
    '#include <stdio.h>\nvoid f(int a) {\n  switch (a) {\n  case 1: puts("1");\n  case 2: puts("2"); /* fall through */\n  case 3: puts("3"); break;\n  }\n}\n',
  ],
  [
    'format',
    '#include <stdio.h>\nvoid f(long n, const char *s) { printf("%d %s %5.2q\\n", n, n); printf(s); printf("%s"); }\n',
  ],
  ['maybe-uninitialized', 'int f(int a) { int b; if (a > 1) b = 2; return b; }\n'],
  [
    'deprecated',
    '__attribute__((deprecated("use g"))) int f(void);\nint h(void) { return f(); }\n',
  ],
  [
    'pragma',
    '#pragma once\n#pragma nonsense\n#pragma GCC error "on purpose"\n#pragma message("words")\nint x;\n',
  ],
  [
    'diagnostic-pragmas',
    '#pragma GCC diagnostic push\n#pragma GCC diagnostic ignored "-Wunused-variable"\nint f(void) { int a; return 0; }\n#pragma GCC diagnostic pop\n#pragma GCC diagnostic error "-Wunused-variable"\nint g(void) { int b; return 0; }\n',
  ],
  [
    'macro-trace',
    '#define INNER(x) ((x) * "s")\n#define OUTER(x) INNER(x + 1)\nint f(int a) { return OUTER(a); }\n',
  ],
  ['misleading-indentation', 'int f(int a) {\n  if (a)\n    a++;\n    a--;\n  return a;\n}\n'],
  ['missing-semicolon', 'int f(void) {\n  int a = 1\n  return a;\n}\n'],
  [
    'misspelt-member',
    'struct S { int colour; };\nint f(struct S *s) { return s->color + s.colour; }\n',
  ],
  [
    'misspelt-function',
    '#include <string.h>\nint f(const char *s) { return strlenn(s) + undeclared; }\n',
  ],
  ['implicit', 'f(a) { return g(a); }\nint h() { return f(1, 2); }\n'],
  ['pointer-types', 'int *f(char *p) { return p; }\nint g(int n) { int *p = n; return *p; }\n'],
  [
    'array-bounds',
    'int a[3];\nint f(void) { return a[7]; }\n#include <string.h>\nvoid g(void) { char b[4]; strcpy(b, "too long for it"); __builtin_puts(b); }\n',
  ],
  [
    'overflow',
    'char c = 1000;\nunsigned char d = -1;\nint e = 1 << 40;\nint f = 0xffffffffffffffffff;\n',
  ],
  [
    'conversions',
    'int f(double d, long l, unsigned u) { char c = d; if (u < -1) return l; return c; }\n',
  ],
  ['redefined', '#define A 1\n#define A 2\nint x; int x = 1; int x = 2;\n#undef __FILE__\n'],
  ['bad-directives', '#if 1 +\n#endif junk\n#elif\n#foo\n#include\n#define 3\nint x;\n'],
  ['unterminated-if', '#ifdef A\nint x;\n'],
  ['missing-header', '#include "nowhere.h"\n#include <no/where.h>\n'],
  ['missing-return', 'int f(int a) { if (a) return 1; }\n'],
  [
    'null-and-size',
    '#include <string.h>\nvoid f(char *p) { memset(p, sizeof p, 0); memcpy(0, p, 4); }\n',
  ],
  ['strict-aliasing', 'float f(int a) { return *(float *)&a; }\n'],
  [
    'parentheses',
    'int f(int a, int b, int c) { if (a = b) return a && b || c; return a == b == c; }\n',
  ],
  ['trigraphs', 'char *s = "what??/?";\n// comment \\\ngoes on\nint x; /* /* */\n'],
  [
    'utf8-columns',
    'const char *s = "\u00e9\u4e2d\ud83d\ude00"; int x = "\u00e9\u4e2d" * 2; /* \u00e9 */ int y = z;\n',
  ],
  ['bidirectional', 'int x; /* \u202e } \u2066 */\nint a\u0301 = 1; int \u00e5 = 2;\n'],
  ['no-newline', 'int x = "a" * 2; // end'],
  ['carriage-returns', 'int f(void) {\r\n  int unused;\r\n  return "x" * 2;\r\n}\r\n'],
  ['tabs', '\tint f(void)\t{\tint\tunused;\treturn "x"\t*\t2;\t}\n'],
  [
    'line-directive',
    '#line 40 "grammar.y"\nint f(void) { return "x" * 2; }\n#line 3\nint g(void) { int unused; }\n',
  ],
  ['static-assert', '_Static_assert(sizeof(int) == 5, "int is odd");\n'],
  [
    'attributes',
    '__attribute__((nonsense)) int x;\n__attribute__((warn_unused_result)) int f(void);\nvoid g(void) { f(); }\n__attribute__((noreturn)) void h(void) { }\n',
  ],
  ['inline-assembly', 'int f(int a) { __asm__("nonsense %0" : "=r"(a)); return a; }\n'],
  ['empty', ''],
  ['only-macro', '#define X 1\n'],
  ['deep', `int f(int a) { return ${'('.repeat(300)}a${')'.repeat(300)}; }\n`],
  ['many-errors', Array.from({ length: 40 }, (_, n) => `int v${n} = "x" * ${n};\n`).join('')],
  ['error-in-header', '#include "broken.h"\nint f(void) { return BROKEN(1); }\n'],
];

const CXX: readonly (readonly [name: string, text: string])[] = [
  [
    'template-error',
    '#include <vector>\n#include <string>\n#include <algorithm>\nstruct S { int a; };\nvoid f(std::vector<S> &v) { std::sort(v.begin(), v.end()); }\n',
  ],
  [
    'template-types',
    '#include <map>\n#include <string>\nstd::map<std::string, int> f() { std::map<int, std::string> m; return m; }\n',
  ],
  ['overloads', 'void f(int, char *); void f(double, int);\nvoid g() { f("x", 1.0); }\n'],
  [
    'override',
    'struct A { virtual void f(int) const; virtual ~A(); };\nstruct B : A { void f(int); void g() override; };\nA *a = new B;\nvoid d(A *p) { delete (int *)p; }\n',
  ],
  ['reorder', 'struct A { int a, b; A() : b(1), a(b) {} };\n'],
  [
    'range-copy',
    '#include <string>\n#include <vector>\nint f(const std::vector<std::string> &v) { int n = 0; for (const auto s : v) n += s.size() < n; return n; }\n',
  ],
  [
    'constexpr',
    'constexpr int f(int n) { return n < 0 ? throw n : f(n - 1); }\nconstexpr int x = f(3);\nstatic_assert(sizeof(int) == 5, "odd");\n',
  ],
  [
    'deprecated-cxx',
    '#include <memory>\n[[deprecated("why")]] void f();\n[[nodiscard]] int g();\nvoid h() { f(); g(); std::auto_ptr<int> p; }\n',
  ],
  [
    'namespaces',
    'namespace n { int x; }\nint f() { return x + n::y + m::z; }\nusing namespace nowhere;\n',
  ],
  [
    'concepts',
    'template <class T> requires (sizeof(T) > 4) int f(T t) { return t; }\nint x = f(1);\n',
  ],
  [
    'move',
    '#include <utility>\n#include <string>\nstd::string f(std::string s) { return std::move(s); }\nstd::string g() { std::string s; return std::move(s); }\n',
  ],
];

/** What `error-in-header` includes. */
export const BROKEN_HEADER = `#pragma once
static int broken_unused(void) { return 1; }
#define BROKEN(x) ((x) + nowhere)
int broken = "x" * 2;
`;

export const WARNING_SOURCES: readonly WarningSource[] = [
  ...C.map(([name, text]) => ({ name: `${name}.c`, text })),
  ...[...C, ...CXX].map(([name, text]) => ({ name: `${name}.cc`, text })),
];
