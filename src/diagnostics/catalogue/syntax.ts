import type { Entries } from './entry.js'

/** What the parser reports. Where a byte that is no text must be shown, U+DC80 to U+DCFF stand for the bytes 80 to FF. */
export const syntaxEntries: Entries = {
  S001: {
    title: 'a word or sign does not fit here',
    explanation:
      'The program follows the grammar up to this place. The message says what could stand here, and what stands here in its place. ' +
      'A line that begins with an operator, a bracket, a point or a clause word continues the line before.',
    bad: 'let xs = [1 2]\nreturn xs\n',
    mended: 'let xs = [1, 2]\nreturn xs\n',
    stage: 'syntax',
  },
  S002: {
    title: 'a bracket is never closed',
    explanation: 'Each (, [ and { needs its ), ] or }. The message points at the bracket that opens, and where it was missed.',
    bad: 'let x = abs(1 + 2\nreturn x\n',
    mended: 'let x = abs(1 + 2)\nreturn x\n',
    stage: 'syntax',
  },
  S003: {
    title: 'a bracket closes nothing',
    explanation: 'A ), ] or } stands where no bracket is open: delete it, or open its bracket before.',
    bad: 'let x = abs(1))\nreturn x\n',
    mended: 'let x = abs(1)\nreturn x\n',
    stage: 'syntax',
  },
  S004: {
    title: 'a string is never closed',
    explanation: 'A string ends with " on the line where it begins. A text over several lines stands between """ and """.',
    bad: 'let s = "once upon a time\nreturn s\n',
    mended: 'let s = "once upon a time"\nreturn s\n',
    stage: 'syntax',
  },
  S005: {
    title: 'a string between other quotes',
    explanation: 'Strings stand between plain double quotes. Single quotes, backquotes and typographic quotes are not used.',
    bad: "let s = 'once'\nreturn s\n",
    mended: 'let s = "once"\nreturn s\n',
    stage: 'syntax',
  },
  S006: {
    title: 'a word of the language used as a name',
    explanation:
      'Words that begin a statement, a clause or an expression cannot name a variable, parameter or function. As a field, ' +
      'a key of a record or the name of an argument they are free, and so are words such as model, tokens and from.',
    bad: 'let until = 3\nreturn until\n',
    mended: 'let limit = 3\nreturn limit\n',
    stage: 'syntax',
  },
  S007: {
    title: 'sample, observe and force need ~',
    explanation: 'A value is drawn from a distribution or context, observed on it or forced onto it with ~, not set with =.',
    bad: 'sample x = normal(0, 1)\nreturn x\n',
    mended: 'sample x ~ normal(0, 1)\nreturn x\n',
    stage: 'syntax',
  },
  S008: {
    title: '= where a value is read',
    explanation:
      '= sets a variable, a field or an element, in a statement of its own. == compares; arguments and fields are named with a colon.',
    bad: 'let x = 1\nif x = 1 { x = 2 }\nreturn x\n',
    mended: 'let x = 1\nif x == 1 { x = 2 }\nreturn x\n',
    stage: 'syntax',
  },
  S009: {
    title: 'let without a value',
    explanation: 'A variable has a value from its first line on, so let needs one. A later = changes it.',
    bad: 'let x\nx = 1\nreturn x\n',
    mended: 'let x = 0\nx = 1\nreturn x\n',
    stage: 'syntax',
  },
  S010: {
    title: 'else without if',
    explanation: 'else follows the } of its if, on the same line or the next, with no other statement between.',
    bad: 'let x = 1\nelse { x = 2 }\nreturn x\n',
    mended: 'let x = 1\nif x == 0 { x = 1 } else { x = 2 }\nreturn x\n',
    stage: 'syntax',
  },
  S011: {
    title: 'the head of a loop',
    explanation: 'A loop is for x in xs { ... }, without brackets around its head. for i in 1..n counts, both ends included.',
    bad: 'let sum = 0\nfor x of [1, 2] { sum += x }\nreturn sum\n',
    mended: 'let sum = 0\nfor x in [1, 2] { sum += x }\nreturn sum\n',
    stage: 'syntax',
  },
  S012: {
    title: 'an operator of another language',
    explanation: 'The operators are + - * / % ^, == != < <= > >=, in, and, or, not, and the range 1..n; = and += set a variable.',
    bad: 'let ok = true && false\nreturn ok\n',
    mended: 'let ok = true and false\nreturn ok\n',
    stage: 'syntax',
  },
  S013: {
    title: 'a value of another language',
    explanation: 'There is no null: a variable always has a value of its type. The Bools are written true and false.',
    bad: 'let found = None\nreturn found\n',
    mended: 'let found = ""\nreturn found\n',
    stage: 'syntax',
  },
  S014: {
    title: 'a statement of another language',
    explanation:
      'smc has few statements: let, sample, observe, force, factor, require, twist, if, for, while, repeat and return. The hint names the one that is meant.',
    bad: 'const x = 1\nreturn x\n',
    mended: 'let x = 1\nreturn x\n',
    stage: 'syntax',
  },
  S015: {
    title: 'two statements on one line',
    explanation: 'A statement ends with its line. Two on one line need a semicolon between them.',
    bad: 'let a = 1 let b = 2\nreturn a + b\n',
    mended: 'let a = 1; let b = 2\nreturn a + b\n',
    stage: 'syntax',
  },
  S016: {
    title: 'a comment of another language',
    explanation: 'A comment begins with // and goes to the end of its line. There is no other form.',
    bad: '# one draw\nsample x ~ normal(0, 1)\nreturn x\n',
    mended: '// one draw\nsample x ~ normal(0, 1)\nreturn x\n',
    stage: 'syntax',
  },
  S017: {
    title: 'an escape that does not exist',
    explanation: 'In a string, \\n \\t \\r \\" \\\\ \\{ \\} and \\u{1F600} have a meaning; a backslash alone is written \\\\.',
    bad: 'let path = "C:\\data"\nreturn path\n',
    mended: 'let path = "C:\\\\data"\nreturn path\n',
    stage: 'syntax',
  },
  S018: {
    title: 'a code point that is no character',
    explanation: 'Unicode goes from 0 to 10FFFF, and D800 to DFFF are not characters.',
    bad: 'let s = "\\u{110000}"\nreturn s\n',
    mended: 'let s = "\\u{1F600}"\nreturn s\n',
    stage: 'syntax',
  },
  S019: {
    title: 'nested too deeply',
    explanation:
      'Brackets and blocks may stand 48 deep in one another, and the tree of an expression 400 deep: a sum of 400 terms, a chain of ' +
      'several hundred else if. Names for the parts, a list with .sum(), or a loop keep programs below that.',
    bad: `let x = ${'('.repeat(60)}1${')'.repeat(60)}\nreturn x\n`,
    mended: 'let x = (1)\nreturn x\n',
    stage: 'syntax',
  },
  S020: {
    title: 'too long for a program',
    explanation:
      'A program has at most 1,000,000 characters, and one statement or function at most 100,000. Data belong into a file for --params.',
    bad: `let s = "${'a'.repeat(100_000)}"\nreturn s\n`,
    mended: 'param s = "a"\nreturn s\n',
    stage: 'syntax',
  },
  S021: {
    title: 'a file that is not UTF-8',
    explanation:
      'Programs are text in UTF-8. The message names the first byte that cannot be; most editors can save a file in another encoding.',
    bad: 'let s = "caf\udce9"\nreturn s\n',
    mended: 'let s = "café"\nreturn s\n',
    stage: 'syntax',
  },
  S022: {
    title: 'a NUL in a program',
    explanation: 'A text file has no NUL characters: this is likely a file of another kind, or one in UTF-16.',
    bad: 'let x = 1\0\nreturn x\n',
    mended: 'let x = 1\nreturn x\n',
    stage: 'syntax',
  },
  S023: {
    title: 'a character that smc does not use',
    explanation:
      'Outside strings and comments a program has letters, digits and the signs of the language. Some spaces copied from web pages look plain and are not.',
    bad: 'let x = 3 @ 4\nreturn x\n',
    mended: 'let x = 3 * 4\nreturn x\n',
    stage: 'syntax',
  },
  S024: {
    title: 'a value alone is not a statement',
    explanation:
      'A statement has an effect. A value that nothing uses is most likely a forgotten return or let; a call may stand alone.',
    bad: 'let x = 1\nx\nreturn x\n',
    mended: 'let x = 1\nreturn x\n',
    stage: 'syntax',
  },
  S025: {
    title: 'a hole where a string must be plain',
    explanation:
      'The names of models, files and keys are read before the program runs, so they cannot depend on values. --model lm=ID changes a model.',
    bad: 'param size = 1\nmodel lm = "tiny{size}"\nreturn size\n',
    mended: 'param size = 1\nmodel lm = "tiny"\nreturn size\n',
    stage: 'syntax',
  },
  S026: {
    title: 'a broken clause of sample',
    explanation:
      'The clauses are: for n tokens, for up to n tokens, within n tokens, until s, matching p, where c, via q [in blocks of n], ' +
      'twisted by e, resampling every n tokens; in any order, without commas.',
    bad: 'model lm = "tiny"\nsample x ~ lm("a") for 5\nreturn x\n',
    mended: 'model lm = "tiny"\nsample x ~ lm("a") for 5 tokens\nreturn x\n',
    stage: 'syntax',
  },
  S027: {
    title: 'a colon where a block begins',
    explanation: 'Blocks stand between { and }; indentation has no meaning.',
    bad: 'let x = 1\nif x == 1:\n  x = 2\nreturn x\n',
    mended: 'let x = 1\nif x == 1 {\n  x = 2\n}\nreturn x\n',
    stage: 'syntax',
  },
  S029: {
    title: 'a declaration inside a block',
    explanation:
      'Models, params, functions and other declarations stand at the top of the script, outside all blocks. Inside, x => e is a small function.',
    bad: 'repeat 2 { fn one() -> Int { return 1 } }\nreturn 1\n',
    mended: 'fn one() -> Int { return 1 }\nreturn one()\n',
    stage: 'syntax',
  },
  S030: {
    title: 'comparisons do not chain',
    explanation: 'a < b < c would compare a Bool with c. Write a < b and b < c.',
    bad: 'let x = 2\nrequire 1 < x < 3\nreturn x\n',
    mended: 'let x = 2\nrequire 1 < x and x < 3\nreturn x\n',
    stage: 'syntax',
  },
  S031: {
    title: 'a hole in a string is empty or never closed',
    explanation: 'Inside a string { begins a hole with an expression, and } ends it. A plain brace is written \\{ or \\}.',
    bad: 'let s = "a set: {}"\nreturn s\n',
    mended: 'let s = "a set: \\{\\}"\nreturn s\n',
    stage: 'syntax',
  },
  S032: {
    title: 'a number that is too large',
    explanation: 'Whole numbers are exact up to 9007199254740991, and Floats go up to about 1.8e308.',
    bad: 'let x = 12345678901234567890\nreturn x\n',
    mended: 'let x = 12345678901234567890.0\nreturn x\n',
    stage: 'syntax',
  },
}
